/**
 * Walking a graph: topological order, who produces a value, and every node with its scope. Values of an outer graph are
 * visible in its subgraphs, as in ONNX.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { nodeLabel, operatorLabel, subgraphsOf, type Constant, type Graph, type Node } from "./graph.js";

/** What a value name stands for in a scope. */
export type Definition =
  | { readonly kind: "constant"; readonly constant: Constant; readonly graph: Graph }
  | { readonly kind: "node"; readonly node: Node; readonly graph: Graph }
  | { readonly kind: "input"; readonly graph: Graph };

/** Resolves value names in nested scopes; tables of each graph are made once. */
export class Scopes {
  readonly #producers = new Map<Graph, Map<string, Node>>();
  readonly #inputs = new Map<Graph, Set<string>>();

  /** The definition of `name` as seen from `graph`, or null when there is none. */
  resolve(graph: Graph, name: string): Definition | null {
    for (let scope: Graph | null = graph; scope !== null; scope = scope.parent) {
      const constant = scope.constants.get(name);
      if (constant !== undefined) return { kind: "constant", constant, graph: scope };
      const node = this.#producersOf(scope).get(name);
      if (node !== undefined) return { kind: "node", node, graph: scope };
      if (this.#inputsOf(scope).has(name)) return { kind: "input", graph: scope };
    }
    return null;
  }

  #producersOf(graph: Graph): Map<string, Node> {
    let table = this.#producers.get(graph);
    if (table === undefined) {
      table = new Map();
      for (const node of graph.nodes) for (const output of node.outputs) if (output !== "") table.set(output, node);
      this.#producers.set(graph, table);
    }
    return table;
  }

  #inputsOf(graph: Graph): Set<string> {
    let names = this.#inputs.get(graph);
    if (names === undefined) {
      names = new Set(graph.inputs.map((input) => input.name));
      this.#inputs.set(graph, names);
    }
    return names;
  }
}

/** Every graph, outer before inner. */
export function* allGraphs(graph: Graph): Iterable<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const inner of subgraphsOf(node)) yield* allGraphs(inner);
}

/** Every node in topological order with the graph it lies in; nodes of a subgraph follow the node that holds it. */
export function* allNodes(graph: Graph): Iterable<{ readonly node: Node; readonly graph: Graph }> {
  for (const node of graph.nodes) {
    yield { node, graph };
    for (const inner of subgraphsOf(node)) yield* allNodes(inner);
  }
}

/** Names that a node needs from the graph it lies in: its inputs, and what its subgraphs read from outside. */
export function* dependencies(node: Node): Iterable<string> {
  yield* node.inputs;
  for (const inner of subgraphsOf(node)) {
    const own = new Set<string>([...inner.inputs.map((input) => input.name), ...inner.constants.keys()]);
    for (const body of inner.nodes) for (const output of body.outputs) own.add(output);
    for (const body of inner.nodes) for (const name of dependencies(body)) if (!own.has(name)) yield name;
    for (const output of inner.outputs) if (!own.has(output.name)) yield output.name;
  }
}

/**
 * Nodes in topological order, in the file's order wherever that is one already (Kahn, stable).
 * @param outside whether a name is defined outside these nodes (inputs, constants, outer scopes).
 * @throws PruneScopeError `malformed-model` for a value that nothing defines, and for a cycle, naming a node on it.
 */
export function topologicalOrder(nodes: readonly Node[], outside: (name: string) => boolean, file: string): Node[] {
  const producer = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const output of node.outputs) if (output !== "") producer.set(output, i);
  });
  const waiting = new Int32Array(nodes.length);
  const consumers: number[][] = nodes.map(() => []);
  nodes.forEach((node, i) => {
    const sources = new Set<number>();
    for (const name of dependencies(node)) {
      if (name === "") continue;
      const source = producer.get(name);
      if (source !== undefined) sources.add(source);
      else if (!outside(name)) {
        throw new PruneScopeError(
          "malformed-model",
          `Node "${nodeLabel(node)}" reads "${name}", which nothing defines.`,
          {
            file,
            node: nodeLabel(node),
            operator: operatorLabel(node),
            value: name,
          },
        );
      }
    }
    waiting[i] = sources.size;
    for (const source of sources) consumers[source]!.push(i);
  });
  const ready = new MinHeap();
  for (let i = 0; i < nodes.length; i++) if (waiting[i] === 0) ready.push(i);
  const order: Node[] = [];
  for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
    order.push(nodes[i]!);
    for (const consumer of consumers[i]!) if (--waiting[consumer]! === 0) ready.push(consumer);
  }
  if (order.length < nodes.length) {
    // What is left hangs on a cycle or lies on one: backwards from anywhere the way leads into it.
    let at = waiting.findIndex((count) => count > 0);
    for (const passed = new Set<number>(); !passed.has(at);) {
      passed.add(at);
      for (const name of dependencies(nodes[at]!)) {
        const source = producer.get(name);
        if (source === undefined || waiting[source] === 0) continue;
        at = source;
        break;
      }
    }
    const stuck = nodes[at]!;
    throw new PruneScopeError("malformed-model", `The graph has a cycle through node "${nodeLabel(stuck)}".`, {
      file,
      node: nodeLabel(stuck),
      operator: operatorLabel(stuck),
    });
  }
  return order;
}

/** Smallest number first, so that the file's order is kept where it can be. */
class MinHeap {
  readonly #items: number[] = [];

  push(value: number): void {
    const items = this.#items;
    let i = items.push(value) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (items[parent]! <= value) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = value;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return top;
  }
}
