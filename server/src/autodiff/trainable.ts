/**
 * A model made ready to be differentiated: one flat graph of a recent operator set, branches decided, recurrent layers
 * unrolled, every prunable weight a float32 input.
 */
import type * as Ort from "onnxruntime-node";
import type { Source } from "../formats/source.js";
import { storedElements, blockElements } from "../formats/stored-elements.js";
import type { Value } from "../graph/builder.js";
import { type Constant, type Graph, type Model, type Node, type ValueInfo } from "../graph/graph.js";
import { inlineBranches } from "../graph/inline-branches.js";
import { modernise } from "../graph/modernise/index.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { reachable } from "../graph/reachable.js";
import { storageKey } from "../graph/tensor.js";
import { unrollRecurrent } from "../graph/unroll-recurrent.js";
import type { ValueTypes } from "../graph/value-type.js";
import { conditionRunner } from "../runtime/conditions.js";
import type { Feeds } from "../runtime/program.js";
import { observedTypes } from "../runtime/observed-types.js";
import { onnxRuntime } from "../runtime/session.js";
import { valueTypes } from "../runtime/shapes.js";
import { withBatchStatistics } from "./batch-statistics.js";
import { constantTensor } from "./constant-tensor.js";

export type InputShapes = ReadonlyMap<string, readonly number[]>;

/** What a model is made trainable for. */
export interface Circumstances {
  readonly source: Source;
  readonly weights: readonly PrunableWeight[];
  readonly inputShapes: InputShapes;
  /** Number of runs that the data takes, and the inputs of each: branches are decided on them. */
  readonly runs: number;
  readonly feeds: (run: number) => Promise<Feeds>;
  readonly threads: number;
}

export interface Trainable {
  /** The flat model; its graph's outputs are the model's. */
  readonly model: Model;
  readonly types: ValueTypes;
  /** Input that stands for each weight; null for a weight that has none. */
  readonly weights: readonly (Value | null)[];
  /** Why a weight has none; null where it has one. */
  readonly reasons: readonly (string | null)[];
  /** Sentences for the report. */
  readonly notes: readonly string[];
}

/** Makes `model` trainable at the given shapes. */
export async function makeTrainable(model: Model, circumstances: Circumstances): Promise<Trainable> {
  const { source, weights, inputShapes, threads } = circumstances;
  const feeds = await circumstances.feeds(0);
  const notes: string[] = [];
  const constant = (one: Constant): Promise<Ort.Tensor> => constantTensor(source, one);
  const run = conditionRunner({ inputShapes, feeds, threads, constant });
  const branched = await inlineBranches(modernise(model), run, async (partly, values) => {
    const found = new Map(await run(partly, values));
    for (let at = 1; at < circumstances.runs && found.size > 0; at++) {
      const other = conditionRunner({ inputShapes, feeds: await circumstances.feeds(at), threads, constant });
      for (const [value, truth] of await other(partly, [...found.keys()]))
        if (found.get(value) !== truth) found.delete(value);
    }
    return found;
  });
  for (const { node, branch, why } of branched.taken) notes.push(`If "${node}" takes its ${branch}: ${why}.`);
  for (const { node, why } of branched.left) notes.push(`If "${node}" stays: ${why}.`);
  let flat: Model = branched.model;
  let types = await observedTypes(flat, { inputShapes, feeds, threads, constant });
  const unrolled = unrollRecurrent(flat.graph, types);
  for (const { node, why } of unrolled.left) notes.push(`"${node}" is not unrolled: ${why}.`);
  if (unrolled.graph !== flat.graph) {
    flat = { ...flat, graph: unrolled.graph };
    types = await observedTypes(flat, { inputShapes, feeds, threads, constant }, types);
  }
  const outputs = flat.graph.outputs.map(({ name }) => name);
  const lifted = liftWeights(reachable(flat.graph, outputs), weights, types);
  return { model: { ...flat, graph: lifted.graph }, types: lifted.types, ...lifted.found, notes };
}

/** A trainable model whose BatchNormalization uses the batch's own statistics. */
export async function onBatchStatistics(
  trainable: Trainable,
  inputShapes: InputShapes,
  threads: number,
): Promise<Trainable> {
  const model = { ...trainable.model, graph: withBatchStatistics(trainable.model.graph, trainable.types) };
  return {
    ...trainable,
    model,
    types: await valueTypes(model, shapesOf(model.graph, inputShapes), threads, trainable.types),
  };
}

/** Shapes of all inputs of a graph: those that are bound, and those that inputs have of themselves. */
export function shapesOf(graph: Graph, bound: InputShapes): Map<string, readonly number[]> {
  const shapes = new Map(bound);
  for (const { name, shape } of graph.inputs) {
    if (shapes.has(name) || shape?.every((dim) => typeof dim === "number") !== true) continue;
    shapes.set(name, shape as readonly number[]);
  }
  return shapes;
}

/** The stored elements of a weight as float32, read once. */
export async function weightTensor(source: Source, weight: PrunableWeight): Promise<Ort.Tensor> {
  const elements = storedElements(source, weight);
  const values = new Float32Array(weight.size);
  for (let start = 0; start < weight.size; start += blockElements) {
    const count = Math.min(blockElements, weight.size - start);
    elements.read(start, count, values.subarray(start, start + count));
  }
  const { Tensor } = await onnxRuntime();
  return new Tensor("float32", values, weight.shape);
}

interface Lifted {
  readonly graph: Graph;
  readonly types: ValueTypes;
  readonly found: Pick<Trainable, "weights" | "reasons">;
}

/**
 * Puts an input in the place of every prunable weight. Integers that are dequantised become one float input where
 * DequantizeLinear stood, because a sensitivity is that of the value, not of its code.
 */
function liftWeights(graph: Graph, weights: readonly PrunableWeight[], types: ValueTypes): Lifted {
  const stored = new Map<string, string[]>();
  for (const { name, tensor } of graph.constants.values()) {
    const key = storageKey(tensor);
    stored.set(key, [...(stored.get(key) ?? []), name]);
  }
  const constants = new Map(graph.constants);
  const inputs: ValueInfo[] = [];
  const lifted = new Map(types);
  const renamed = new Map<Value, Value>();
  const gone = new Set<Node>();
  const reasons: (string | null)[] = [];
  const values = weights.map((weight): Value | null => {
    const names = stored.get(storageKey(weight.tensor)) ?? [];
    const places = weight.dequantisation === null ? names : dequantised(graph, names, gone);
    const reason =
      places.length === 0
        ? "it is not on the path that the inputs take"
        : weight.sparse
          ? "it is stored as a sparse tensor, which gradients are not taken of"
          : weight.dequantisation === null && weight.tensor.dtype !== "float"
            ? `its elements are ${weight.tensor.dtype}; gradients are taken of float32 weights`
            : null;
    reasons.push(reason);
    const [name, ...same] = places;
    if (reason !== null || name === undefined) return null;
    for (const place of places) constants.delete(place);
    for (const other of same) renamed.set(other, name);
    inputs.push({ name, dtype: "float", shape: [...weight.shape] });
    lifted.set(name, { dtype: "float", shape: weight.shape });
    return name;
  });
  const nodes = graph.nodes
    .filter((node) => !gone.has(node))
    .map((node) =>
      node.inputs.some((input) => renamed.has(input))
        ? { ...node, inputs: node.inputs.map((input) => renamed.get(input) ?? input) }
        : node,
    );
  return {
    graph: { ...graph, constants, nodes, inputs: [...graph.inputs, ...inputs] },
    types: lifted,
    found: { weights: values, reasons },
  };
}

/** Outputs of the DequantizeLinear nodes over `names`, which are taken out of the graph. */
function dequantised(graph: Graph, names: readonly string[], gone: Set<Node>): Value[] {
  const uses = graph.nodes.filter((node) => names.includes(node.inputs[0] ?? "") && node.op === "DequantizeLinear");
  for (const node of uses) gone.add(node);
  return uses.map((node) => node.outputs[0]!);
}
