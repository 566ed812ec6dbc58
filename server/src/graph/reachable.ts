/** Leaves out what nobody asks for. */
import type { Constant, Graph, Node } from "./graph.js";
import { adopted, rebuilt, withSubgraphs } from "./rebuild.js";
import { dependencies } from "./traversal.js";

/**
 * The part of `graph` that the values `outputs` need: nodes and constants, also those that only a branch or body reads.
 * Inputs stay; of the graph's outputs those named stay. Nodes keep their order and all their outputs.
 */
export function reachable(graph: Graph, outputs: readonly string[]): Graph {
  const wanted = new Set(outputs);
  const nodes: Node[] = [];
  // Nodes are in topological order: from the back, whoever needs a value comes before who makes it.
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => output !== "" && wanted.has(output))) continue;
    nodes.push(node);
    for (const name of dependencies(node)) wanted.add(name);
  }
  const constants = new Map<string, Constant>();
  for (const [name, constant] of graph.constants) if (wanted.has(name)) constants.set(name, constant);
  const asked = new Set(outputs);
  return rebuilt(graph, graph.parent, (made) => ({
    nodes: nodes.reverse().map((node) => withSubgraphs(node, (inner) => adopted(inner, made))),
    constants,
    outputs: graph.outputs.filter(({ name }) => asked.has(name)),
  }));
}
