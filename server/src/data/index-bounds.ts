/** Which integer inputs are indices into a constant table (an embedding), and how many rows the shortest has. */
import { intAttribute, type Graph } from "../graph/graph.js";
import { Tracer } from "../graph/origin.js";
import { allNodes, Scopes } from "../graph/traversal.js";

/** Operators that pass indices on as they are, from their first input. */
const passing: ReadonlySet<string> = new Set([
  "Cast",
  "Expand",
  "Flatten",
  "Identity",
  "Reshape",
  "Slice",
  "Squeeze",
  "Tile",
  "Transpose",
  "Unsqueeze",
]);

/** Rows of the smallest table that each input of the main graph is an index into; inputs that are none are absent. */
export function indexBounds(graph: Graph): Map<string, number> {
  const scopes = new Scopes();
  const tracer = new Tracer();
  const bounds = new Map<string, number>();
  for (const { node, graph: scope } of allNodes(graph)) {
    if (node.op !== "Gather" || node.domain !== "") continue;
    const table = tracer.trace(scope, node.inputs[0] ?? "");
    const input = inputBehind(scope, node.inputs[1] ?? "");
    if (table === null || input === null) continue;
    const rows = table.shape.at(intAttribute(node, "axis", 0));
    if (rows !== undefined) bounds.set(input, Math.min(rows, bounds.get(input) ?? Infinity));
  }
  return bounds;

  /** The main graph's input that a value's elements come from, unchanged. */
  function inputBehind(scope: Graph, name: string): string | null {
    const definition = scopes.resolve(scope, name);
    if (definition?.kind === "input") return definition.graph.parent === null ? name : null;
    if (definition?.kind !== "node" || !passing.has(definition.node.op)) return null;
    return inputBehind(definition.graph, definition.node.inputs[0] ?? "");
  }
}
