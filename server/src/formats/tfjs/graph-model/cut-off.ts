/** Which weights are cut off from the outputs, because every way there leads through what is not lowered. */
import { portOf } from "./node-def.js";
import type { Topology } from "./topology.js";

/** Most names in one sentence. */
const mostNames = 8;

/** A sentence that names the constants of several axes behind nodes of `unlowered` alone; none where there are none. */
export function cutOff(topology: Topology, unlowered: ReadonlySet<string>): string[] {
  if (unlowered.size === 0) return [];
  const outputs = topology.outputs.map((output) => portOf(output).node);
  const free = behind(topology, outputs, (name) => unlowered.has(name));
  const names = [...behind(topology, unlowered, () => false)].filter(
    (name) => !free.has(name) && isKernel(topology, name),
  );
  if (names.length === 0) return [];
  const listed = names.slice(0, mostNames).map((name) => `"${name}"`);
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
  return [`What is not lowered cuts off ${listed.join(", ")}${more}: gradients do not reach them.`];
}

function isKernel(topology: Topology, name: string): boolean {
  const node = topology.nodes.get(name);
  const rank = node?.op === "Const" ? (node.tensorRank("value") ?? 0) : 0;
  return rank >= 2;
}

/** All nodes that `ends` need, themselves included; what lies behind nodes that `stops` is not looked at. */
function behind(topology: Topology, ends: Iterable<string>, stops: (name: string) => boolean): Set<string> {
  const found = new Set<string>(ends);
  for (const name of found) {
    if (stops(name)) continue;
    for (const input of topology.nodes.get(name)?.inputs ?? []) found.add(portOf(input).node);
  }
  return found;
}
