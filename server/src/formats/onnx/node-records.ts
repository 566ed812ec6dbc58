/**
 * Which NodeProto of a file each node of the main graph was read from. Nodes are sorted, Constant nodes lifted and local
 * functions inlined on the way, so that neither position nor name tells.
 */
import type { Node } from "../../graph/graph.js";

const records = new WeakMap<Node, number>();

/** Remembers that `node` was read from the `index`-th NodeProto of the main graph. */
export function noteRecord(node: Node, index: number): void {
  records.set(node, index);
}

/** Index of the NodeProto among those of the main graph; null for nodes inside branches, bodies and functions. */
export function recordOf(node: Node): number | null {
  return records.get(node) ?? null;
}
