/** Which values go to outputs of the graph only, through nothing that combines or weighs them. */
import type { Graph } from "../../graph/graph.js";
import { operatorLabel } from "../../graph/graph.js";
import { dependencies } from "../../graph/traversal.js";

const passing = new Set([
  ...["ArgMax", "Cast", "Clip", "Flatten", "Gather", "Identity", "Log", "LogSoftmax", "Max", "Neg", "ReduceMax"],
  ...["Reshape", "Shape", "Slice", "Softmax", "Split", "Squeeze", "TopK", "Transpose", "Unsqueeze"],
]);

export function finalValues(graph: Graph): Set<string> {
  const open = new Set(graph.outputs.map(({ name }) => name));
  const inner = new Set<string>();
  // From the back: whether all uses of a value are final is known before its producer comes.
  for (const node of [...graph.nodes].reverse()) {
    const through =
      passing.has(operatorLabel(node)) &&
      node.outputs.every((output) => !inner.has(output)) &&
      node.outputs.some((output) => open.has(output));
    for (const name of dependencies(node)) (through ? open : inner).add(name);
  }
  return new Set([...open].filter((name) => !inner.has(name)));
}
