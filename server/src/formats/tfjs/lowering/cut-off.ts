/**
 * Which nodes lead to outputs: a transpose that another one undid leads nowhere. Which layers a derivative cannot reach:
 * those from which every way to an output leads through what is not lowered.
 */
import type { Node } from "../../../graph/graph.js";

/**
 * Names of nodes that are cut off, in their order, each once; those that are not lowered themselves are left out.
 * @param counts which nodes are asked about.
 */
export function cutOff(
  nodes: readonly Node[],
  outputs: readonly string[],
  counts: (node: Node) => boolean,
): readonly string[] {
  const reached = new Set(outputs);
  const names = new Set<string>();
  // A node stands behind all that its inputs come from.
  for (const node of [...nodes].reverse()) {
    const isReached = node.outputs.some((output) => reached.has(output));
    if (isReached && node.domain !== "tfjs") for (const input of node.inputs) reached.add(input);
    else if (!isReached && node.domain !== "tfjs" && counts(node)) names.add(node.name);
  }
  return [...names].reverse();
}

/** The nodes that outputs come of, in their order. */
export function leadingTo(nodes: readonly Node[], outputs: Iterable<string>): readonly Node[] {
  const wanted = new Set(outputs);
  const kept: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    for (const input of node.inputs) wanted.add(input);
    kept.push(node);
  }
  return kept.reverse();
}
