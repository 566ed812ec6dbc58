/**
 * Which channels of a model can be reordered together so that its function stays (Pool and Yu 2021, NeurIPS, "Channel
 * permutations for N:M sparsity", section 4): every axis of every constant is a set of its own at first, and operators
 * join and fix sets, in topological order. What nobody speaks for stays where it is.
 */
import { type Constant, type Graph, type Model, type Node, nodeLabel, operatorLabel, subgraphsOf } from "../graph.js";
import { byteLength, storageKey, storedType } from "../tensor.js";
import { allGraphs, dependencies } from "../traversal.js";
import { type Axis, fixAxis, fixedSignal, resolvedAxis, type Signal } from "./axes.js";
import type { ChannelRule } from "./rule.js";
import { channelRules } from "./rules/index.js";
import { ChannelSet, divided, type Segments } from "./sets.js";
import { Site } from "./site.js";

/** A constant of a file, and the order of each of its axes. */
export interface ChannelTensor {
  /** The first of those that share its storage. */
  readonly constant: Constant;
  readonly axes: readonly Axis[];
}

export interface Channels {
  /** Tensors of the main graph by `storageKey`. */
  readonly tensors: ReadonlyMap<string, ChannelTensor>;
}

export interface ChannelOptions {
  /** Values that follow from shapes alone, as constants. */
  readonly computed?: ReadonlyMap<string, Constant>;
  readonly rules?: readonly ChannelRule[];
}

/**
 * Finds the sets of a model's channels.
 * @param shapes of the main graph's values; values whose shape is null or missing end every set that reaches them.
 */
export function findChannels(
  model: Model,
  shapes: ReadonlyMap<string, readonly number[] | null>,
  { computed = new Map(), rules = channelRules }: ChannelOptions = {},
): Channels {
  const { graph } = model;
  const table = new Map(rules.flatMap((rule) => rule.operators.map((operator) => [operator, rule] as const)));
  const tensors = constantAxes(graph, groupedWeights(graph));
  const signals = new Map<string, Signal | null>();
  for (const constant of graph.constants.values()) signals.set(constant.name, signalOf(constant, tensors));
  const stay = (name: string, reason: string): void => {
    const shape = shapes.get(name) ?? null;
    signals.set(name, shape === null ? null : fixedSignal(shape, reason));
  };
  for (const { name } of graph.inputs) stay(name, `it is the model's input "${name}"`);
  const fixValue = (name: string, reason: string): void => {
    for (const axis of signals.get(name)?.axes ?? []) fixAxis(axis, reason);
  };
  for (const node of graph.nodes) {
    const label = operatorLabel(node);
    const rule = [...subgraphsOf(node)].length > 0 ? undefined : table.get(label);
    if (rule === undefined) {
      const reason = `${label} "${nodeLabel(node)}" may ask for its order`;
      for (const name of dependencies(node)) fixValue(name, reason);
      for (const name of node.outputs) if (name !== "") stay(name, reason);
      continue;
    }
    const site = new Site(node, {
      opset: model.opsets.get(node.domain) ?? 1,
      signalOf: (name) => signals.get(name) ?? null,
      constantOf: (name) => graph.constants.get(name) ?? computed.get(name) ?? null,
      shapeOf: (name) => shapes.get(name) ?? null,
    });
    for (const [name, signal] of site.finish(rule.apply(site))) signals.set(name, signal);
  }
  for (const { name } of graph.outputs) fixValue(name, `it is the model's output "${name}"`);
  return {
    tensors: new Map(
      [...tensors].map(([key, { constant, axes }]) => [key, { constant, axes: axes.map(resolvedAxis) }]),
    ),
  };
}

/** What a constant is as a value: its storage's axes, if it has the same shape. */
function signalOf(constant: Constant, tensors: ReadonlyMap<string, ChannelTensor>): Signal {
  const shape = constant.sparse?.shape ?? constant.tensor.shape;
  const known = tensors.get(storageKey(constant.tensor));
  return { shape, axes: known?.constant.tensor.shape.join() === shape.join() ? known.axes : shape.map(() => null) };
}

/** Axes of all constants whose elements can be moved in the file, one entry for what shares its storage. */
function constantAxes(graph: Graph, groups: ReadonlyMap<string, number>): Map<string, ChannelTensor> {
  const tensors = new Map<string, ChannelTensor>();
  const places: { readonly constant: Constant; readonly own: boolean }[] = [];
  for (const one of allGraphs(graph))
    for (const constant of one.constants.values())
      if (constant.tensor.path !== "") places.push({ constant, own: one === graph });
  for (const { constant, own } of places) {
    const key = storageKey(constant.tensor);
    const known = tensors.get(key);
    if (known !== undefined) {
      const same = known.constant.tensor.shape.join() === constant.tensor.shape.join();
      if (!same || !own)
        fixTensor(known, `"${constant.name}" is stored at the same place, in another shape or subgraph`);
      continue;
    }
    const { shape } = constant.tensor;
    const axes = shape.map((length): Axis => (length > 1 ? [{ set: new ChannelSet(length), inner: 1 }] : null));
    const parts = groups.get(constant.name) ?? 1;
    if (own && parts > 1) inGroups(axes, shape, parts);
    const made = { constant, axes };
    const reason = own ? immovable(constant) : `"${constant.name}" belongs to a subgraph`;
    if (reason !== null) fixTensor(made, reason);
    tensors.set(key, made);
  }
  fixOverlaps([...tensors.values()]);
  return tensors;
}

function fixTensor({ axes }: ChannelTensor, reason: string): void {
  for (const axis of axes) fixAxis(axis, reason);
}

/** Why the elements of a constant cannot be moved in its file; null where they can. */
function immovable({ name, tensor, sparse }: Constant): string | null {
  if (sparse !== null) return `the file stores only some elements of "${name}"`;
  if (tensor.encoding === "varint") return `the elements of "${name}" are stored as varints`;
  // Elements of less than a byte have no place of their own.
  const stored = storedType(tensor);
  const wide = [1, 2, 4, 8].includes(byteLength(stored, 1) ?? 0) && byteLength(stored, 2)! > 1;
  return wide ? null : `the elements of "${name}" are ${tensor.dtype}`;
}

/** Tensors that share a part of a file with another one stay as they are. */
function fixOverlaps(tensors: readonly ChannelTensor[]): void {
  const sorted = [...tensors].sort((a, b) => a.constant.tensor.offset - b.constant.tensor.offset);
  const ends = new Map<string, ChannelTensor>();
  const endOf = ({ constant: { tensor } }: ChannelTensor): number => tensor.offset + tensor.length;
  for (const one of sorted) {
    const { path, offset } = one.constant.tensor;
    const before = ends.get(path);
    if (before !== undefined && endOf(before) > offset) {
      for (const tensor of [before, one])
        fixTensor(tensor, `"${before.constant.name}" and "${one.constant.name}" share bytes of the file`);
    }
    if (before === undefined || endOf(before) < endOf(one)) ends.set(path, one);
  }
}

/** Gives the second axis of a grouped weight an order in each group, and keeps the first within groups. */
function inGroups(axes: Axis[], shape: readonly number[], groups: number): void {
  const first = axes[0];
  if (first == null || "by" in first || shape.length < 3 || shape[0]! % groups !== 0 || shape[1]! < 2) return;
  if (divided(first, groups) === null) return;
  const length = shape[1]!;
  axes[1] = {
    by: 0,
    parts: Array.from({ length: groups }, (): Segments => [{ set: new ChannelSet(length), inner: 1 }]),
  };
}

/** Operators between a weight as it is stored and its convolution that treat elements one by one. */
const passing: ReadonlySet<string> = new Set(["Cast", "DequantizeLinear", "Identity", "QuantizeLinear"]);

/** Groups of convolutions' weights, by the name of the constant. */
function groupedWeights(graph: Graph): Map<string, number> {
  const producers = new Map<string, Node>();
  const groups = new Map<string, number>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    const group = node.attributes.get("group");
    if (group?.kind !== "int" || group.value < 2n || group.value > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    let name = node.inputs[1] ?? "";
    for (let from = producers.get(name); from !== undefined && passing.has(from.op); from = producers.get(name))
      name = from.inputs[0] ?? "";
    groups.set(name, Number(group.value));
  }
  return groups;
}
