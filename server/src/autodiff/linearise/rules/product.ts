/**
 * Products. A constant factor c is |c|. Of two factors that both come from the data one is a gate, and a gate is a
 * constant: fully open, so that x·Sigmoid(x), HardSwish and GELU, written in parts, are the identity. What divides is a
 * normalisation: the numerator passes.
 */
import { type Bounds, boundsOf, multiplied, reach } from "../bounds.js";
import { fitted } from "../fitted.js";
import type { LinearRule, LinearSite, Signal } from "../rule.js";

/** Input `i` times |the other input| or divided by it. */
function byConstant(site: LinearSite, i: 0 | 1): Signal {
  const other = 1 - i;
  const from = site.exponents.held(site.signal(i));
  const magnitude = site.magnitude(other);
  const value = site.node.op === "Div" ? site.b.div(from.value, magnitude) : site.b.mul(from.value, magnitude);
  const { bounds } = site.signal(i);
  const factor = factorBounds(site, other);
  const product = bounds !== null && factor !== null ? multiplied(bounds, factor) : null;
  return { kind: "signal", ...site.exponents.grown(value, from), bounds: product };
}

/** The interval of a constant factor, or of the inverse of a constant divisor. */
function factorBounds(site: LinearSite, i: number): Bounds | null {
  const elements = site.constant(i);
  if (site.node.op !== "Div") return boundsOf(elements);
  return elements?.includes(0) === false ? boundsOf(elements.map((element) => 1 / element)) : null;
}

/** Which of two factors is the gate: the one that is broadcast, else the one that is bounded most tightly, else the second. */
function gateOf(site: LinearSite): 0 | 1 {
  const whole = site.outputShape().join();
  const broadcast = [0, 1].map((i) => site.shape(i).join() !== whole);
  if (broadcast[0] !== broadcast[1]) return broadcast[0] === true ? 0 : 1;
  const [a, c] = [site.signal(0).bounds, site.signal(1).bounds];
  if (a === null || c === null) return a !== null ? 0 : 1;
  const signed = [a[0] < 0, c[0] < 0];
  if (signed[0] !== signed[1]) return signed[0] === true ? 1 : 0;
  return reach(a) < reach(c) ? 0 : 1;
}

const mul: LinearRule = {
  op: "Mul",
  images: (site) => {
    if (site.image(1)?.kind !== "signal") return [byConstant(site, 0)];
    if (site.image(0)?.kind !== "signal") return [byConstant(site, 1)];
    if (site.node.inputs[0] === site.node.inputs[1]) return [{ ...site.signal(0), bounds: null }];
    const gate = gateOf(site);
    const { bounds } = site.signal(gate);
    site.holdConstant(gate, "a gate, which SynFlow holds constant");
    const main = fitted(site, 1 - gate);
    const open = bounds === null ? 1 : reach(bounds);
    return [{ ...main, value: site.b.scale(main.value, open > 0 ? open : 1), bounds: null }];
  },
};

const div: LinearRule = {
  op: "Div",
  images: (site) => {
    if (site.image(1)?.kind !== "signal") return [byConstant(site, 0)];
    if (site.image(0)?.kind !== "signal") return [{ ...fitted(site, 1), bounds: null }];
    site.holdConstant(1, "a divisor, which SynFlow holds constant");
    return [{ ...fitted(site, 0), bounds: null }];
  },
};

export const products: readonly LinearRule[] = [mul, div];
