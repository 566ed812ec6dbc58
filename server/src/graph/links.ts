/** Who makes and who reads each value of one graph, its subgraphs' reads included. */
import type { Value } from "./builder.js";
import type { Graph, Node } from "./graph.js";
import { dependencies } from "./traversal.js";

export interface Links {
  readonly graph: Graph;
  readonly producer: ReadonlyMap<Value, Node>;
  /** Nodes that read a value, in the graph's order, each once. */
  readonly consumers: (value: Value) => readonly Node[];
  /** Whether the value is an output of the graph. */
  readonly isOutput: (value: Value) => boolean;
}

export function linksOf(graph: Graph): Links {
  const producer = new Map<Value, Node>();
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== "") producer.set(output, node);
    for (const name of new Set(dependencies(node))) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else list.push(node);
    }
  }
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  return {
    graph,
    producer,
    consumers: (value) => consumers.get(value) ?? [],
    isOutput: (value) => outputs.has(value),
  };
}
