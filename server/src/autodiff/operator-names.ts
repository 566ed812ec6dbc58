/** Operators of nodes in words. */
import { type Node, operatorLabel } from "../graph/graph.js";

/** Most operators that are named. */
const mostNames = 4;

/** "Loop, Scan", each operator once, in the order of the nodes; of many the first few and how many more there are. */
export function operatorNames(nodes: readonly Node[]): string {
  const names = [...new Set(nodes.map(operatorLabel))];
  const more = names.length - mostNames;
  return names.slice(0, mostNames).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
