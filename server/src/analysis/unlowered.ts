/** What of a model of another format has no ONNX operators, in words. */
import { type Graph, nodeLabel } from "../graph/graph.js";
import { allNodes } from "../graph/traversal.js";

/** Nodes named in a sentence before the rest is counted. */
const named = 3;

/** The nodes, those of branches among them, that stand for what has no lowering, as a list in words; null where there are none. */
export function unlowered(graph: Graph): string | null {
  const names = [...allNodes(graph)].flatMap(({ node }) =>
    node.domain === "tfjs" ? [`"${nodeLabel(node)}" (${node.op})`] : [],
  );
  if (names.length === 0) return null;
  return names.length <= named
    ? names.join(", ")
    : `${names.slice(0, named).join(", ")} and ${names.length - named} more`;
}
