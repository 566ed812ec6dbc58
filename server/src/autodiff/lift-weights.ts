/**
 * Puts a float32 input of the graph in the place of every prunable weight. For integers that are dequantised, and
 * numbers that are cast, it stands where DequantizeLinear or Cast stood: a sensitivity is that of the value, not of its
 * code.
 */
import type { Value } from "../graph/builder.js";
import { type Graph, type Node, subgraphsOf, type ValueInfo } from "../graph/graph.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { storageKey } from "../graph/tensor.js";
import type { ValueTypes } from "../graph/value-type.js";

export interface Lifted {
  readonly graph: Graph;
  readonly types: ValueTypes;
  /** Input that stands for each weight; null for a weight that has none. */
  readonly values: readonly (Value | null)[];
  /** Why a weight has none; null where it has one. */
  readonly reasons: readonly (string | null)[];
}

/** `graph`, the main graph of a model, with inputs for its weights. */
export function liftWeights(graph: Graph, weights: readonly PrunableWeight[], types: ValueTypes): Lifted {
  const known = constantsByStorage(graph);
  const inside = new Set(innerStorage(graph));
  const readers = readersOf(graph);
  const constants = new Map(graph.constants);
  const inputs: ValueInfo[] = [];
  const lifted = new Map(types);
  const gone = new Set<Node>();
  /** Nodes that give an input the other names that its weight had. */
  const aliases: Node[] = [];
  const values: (Value | null)[] = [];
  const reasons: (string | null)[] = [];
  for (const weight of weights) {
    const key = storageKey(weight.tensor);
    const place = placeOf(weight, readers, known.get(key) ?? [], types, inside.has(key));
    if (typeof place === "string") {
      values.push(null);
      reasons.push(place);
      continue;
    }
    const { name, others, nodes } = place;
    for (const one of [name, ...others]) constants.delete(one);
    for (const one of nodes) gone.add(one);
    aliases.push(...others.map((other) => identity(name, other)));
    inputs.push({ name, dtype: "float", shape: weight.shape });
    lifted.set(name, { dtype: "float", shape: weight.shape });
    values.push(name);
    reasons.push(null);
  }
  const rest = [...aliases, ...graph.nodes.filter((node) => !gone.has(node))];
  return {
    graph: { ...graph, constants, nodes: rest, inputs: [...graph.inputs, ...inputs] },
    types: lifted,
    values,
    reasons,
  };
}

/** Where a weight's values are in a graph. */
interface Place {
  readonly name: Value;
  /** Further values that are the same. */
  readonly others: readonly Value[];
  /** Nodes that made them. */
  readonly nodes: readonly Node[];
}

/** @param readers nodes by their first input; @param inside whether a branch or loop body holds the weight. @returns why the weight has no place, or its place. */
function placeOf(
  weight: PrunableWeight,
  readers: ReadonlyMap<Value, readonly Node[]>,
  constants: readonly Value[],
  types: ValueTypes,
  inside: boolean,
): Place | string {
  if (constants.length === 0)
    return inside ? "it is in a branch or a loop body that stays one" : "it is not on the path that the inputs take";
  if (weight.sparse) return "it is stored as a sparse tensor, which gradients are not taken of";
  const { dtype } = weight.tensor;
  if (dtype === "float") return { name: constants[0]!, others: constants.slice(1), nodes: [] };
  const decoder = weight.dequantisation === null ? "Cast" : "DequantizeLinear";
  const uses = constants.flatMap((constant) => readers.get(constant) ?? []);
  const [first, ...rest] = uses;
  const decoded = uses.every(({ op, outputs }) => op === decoder && types.get(outputs[0]!)?.dtype === "float");
  if (first === undefined || !decoded) return `its elements are ${dtype}; gradients are taken of float32 weights`;
  const parameters = (node: Node): string => node.inputs.slice(1).join();
  if (rest.some((node) => parameters(node) !== parameters(first))) return "it is dequantised in more than one way";
  return { name: first.outputs[0]!, others: rest.map(({ outputs }) => outputs[0]!), nodes: uses };
}

/** Nodes by their first input. */
function readersOf({ nodes }: Graph): Map<Value, Node[]> {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    const list = readers.get(node.inputs[0] ?? "");
    if (list === undefined) readers.set(node.inputs[0] ?? "", [node]);
    else list.push(node);
  }
  return readers;
}

/** Names of a graph's constants that are stored in one place. */
function constantsByStorage({ constants }: Graph): Map<string, Value[]> {
  const names = new Map<string, Value[]>();
  for (const { name, tensor } of constants.values()) {
    const key = storageKey(tensor);
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  return names;
}

/** Places of the constants of branches and loop bodies. */
function* innerStorage(graph: Graph): Iterable<string> {
  for (const node of graph.nodes) {
    for (const inner of subgraphsOf(node)) {
      for (const { tensor } of inner.constants.values()) yield storageKey(tensor);
      yield* innerStorage(inner);
    }
  }
}

const identity = (from: Value, to: Value): Node => ({
  name: "",
  op: "Identity",
  domain: "",
  inputs: [from],
  outputs: [to],
  attributes: new Map(),
});
