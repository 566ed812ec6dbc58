/** One input of a node as its output: what other inputs only broadcast it to. */
import type { LinearSite, Signal } from "./rule.js";

export function fitted(site: LinearSite, i: number): Signal {
  const signal = site.signal(i);
  const to = site.outputShape();
  if (site.shape(i).join() === to.join()) return signal;
  return { ...signal, value: site.b.expand(signal.value, to) };
}
