/**
 * Which values of a graph carry the signal, what a network computes of its data, and which do not: parameters, shapes,
 * tables of positions, masks made of integer inputs.
 */
import type { Value } from "../builder.js";
import { type Node, operatorLabel } from "../graph.js";
import type { Links } from "../links.js";
import { isFloat } from "../tensor.js";
import { dependencies } from "../traversal.js";
import { constantBehind } from "../weighted-sum.js";

/** They look at shapes only. */
const ofShapes: ReadonlySet<string> = new Set(["Shape", "Size"]);
/** Integers become a signal where they choose rows of a table: words. */
const isLookup = (node: Node, links: Links): boolean => {
  if (operatorLabel(node) === "com.microsoft.EmbedLayerNormalization") return true;
  const table = operatorLabel(node) === "Gather" ? constantBehind(links, node.inputs[0] ?? "") : null;
  return table !== null && isFloat(table.tensor.dtype);
};

export interface Signals {
  readonly links: Links;
  readonly carries: (value: Value) => boolean;
  /** Place of a value's node in topological order; -1 for what no node makes. */
  readonly place: (value: Value) => number;
}

/** @param layers nodes with weights: what they give is a signal whatever went in. */
export function signalsOf(links: Links, layers: ReadonlyMap<Node, unknown>): Signals {
  const { graph } = links;
  const inputs = new Map(graph.inputs.map(({ name, dtype }) => [name, dtype]));
  const signals = new Set<Value>();
  /** What depends on any input by more than its shape. */
  const touched = new Set<Value>();
  const places = new Map<Value, number>();
  for (const [name, dtype] of inputs) {
    touched.add(name);
    if (isFloat(dtype)) signals.add(name);
  }
  const isOuter = (name: Value): boolean =>
    name !== "" && !links.producer.has(name) && !inputs.has(name) && constantBehind(links, name) === null;
  for (const [place, node] of graph.nodes.entries()) {
    const label = operatorLabel(node);
    const read = ofShapes.has(label) ? [] : [...dependencies(node)];
    const changes = read.some((name) => touched.has(name) || isOuter(name));
    const carries =
      layers.has(node) || (changes && isLookup(node, links)) || read.some((name) => signals.has(name) || isOuter(name));
    for (const output of node.outputs) {
      places.set(output, place);
      if (carries) signals.add(output);
      if (carries || changes) touched.add(output);
    }
  }
  return {
    links,
    carries: (value) => signals.has(value) || isOuter(value),
    place: (value) => places.get(value) ?? -1,
  };
}
