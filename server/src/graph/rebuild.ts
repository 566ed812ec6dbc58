/**
 * Copies of graphs with something changed. A graph knows the one around it, so whatever lies inside a changed graph is
 * copied too; constants stay the same objects.
 */
import { type Attribute, type Graph, type Node, subgraphsOf } from "./graph.js";

/** A copy of `graph` inside `parent` with the parts that `change` gives, which gets the copy as the parent of its subgraphs. */
export function rebuilt(graph: Graph, parent: Graph | null, change: (made: Graph) => Partial<Graph>): Graph {
  const made: Graph = { ...graph, parent };
  return Object.assign(made, change(made));
}

/** `node` with every graph inside it replaced. */
export function withSubgraphs(node: Node, replace: (graph: Graph) => Graph): Node {
  if (![...subgraphsOf(node)].length) return node;
  const replaced = (attribute: Attribute): Attribute => {
    if (attribute.kind === "graph") return { kind: "graph", value: replace(attribute.value) };
    return attribute.kind === "graphs" ? { kind: "graphs", value: attribute.value.map(replace) } : attribute;
  };
  return { ...node, attributes: new Map([...node.attributes].map(([name, one]) => [name, replaced(one)])) };
}

/** `graph` inside another parent, otherwise as it is. */
export function adopted(graph: Graph, parent: Graph): Graph {
  return rebuilt(graph, parent, (made) => ({
    nodes: graph.nodes.map((node) => withSubgraphs(node, (inner) => adopted(inner, made))),
  }));
}

/** Every name that a value of `graph` or of a graph inside it has. */
export function valueNames(graph: Graph, found = new Set<string>()): Set<string> {
  for (const { name } of graph.inputs) found.add(name);
  for (const name of graph.constants.keys()) found.add(name);
  for (const node of graph.nodes) {
    for (const output of node.outputs) found.add(output);
    for (const inner of subgraphsOf(node)) valueNames(inner, found);
  }
  return found;
}
