/**
 * A model made ready to be differentiated: one flat graph of a recent operator set, branches decided, recurrent layers
 * unrolled, every prunable weight a float32 input.
 */
import type * as Ort from "onnxruntime-node";
import type { Source } from "../formats/source.js";
import { storedElements, blockElements } from "../formats/stored-elements.js";
import type { Value } from "../graph/builder.js";
import type { Constant, Graph, Model } from "../graph/graph.js";
import { foldShapes } from "../graph/fold-shapes.js";
import { inlineBranches } from "../graph/inline-branches.js";
import { modernise } from "../graph/modernise/index.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { reachable } from "../graph/reachable.js";
import { unrollRecurrent } from "../graph/unroll-recurrent.js";
import type { ValueTypes } from "../graph/value-type.js";
import { conditionRunner } from "../runtime/conditions.js";
import { shapeRunner } from "../runtime/fixed-values.js";
import type { Feeds } from "../runtime/program.js";
import { observedTypes } from "../runtime/observed-types.js";
import { onnxRuntime } from "../runtime/session.js";
import { valueTypes } from "../runtime/shapes.js";
import { withBatchStatistics } from "./batch-statistics.js";
import { constantTensor } from "./constant-tensor.js";
import { liftWeights } from "./lift-weights.js";

export type InputShapes = ReadonlyMap<string, readonly number[]>;

/** What a model is made trainable for. */
export interface Circumstances {
  readonly source: Source;
  readonly weights: readonly PrunableWeight[];
  readonly inputShapes: InputShapes;
  /** Number of runs that the data takes, and the inputs of each: branches are decided on them. */
  readonly runs: number;
  readonly feeds: (run: number) => Promise<Feeds>;
  /** Whether LSTM, GRU and RNN become ordinary operators. */
  readonly unrolled: boolean;
  readonly threads: number;
}

/** Why an If stays whose condition was evaluated in every run. */
const disagreement = " and is not the same for all of the data: use data that takes one branch, or a batch of 1";

export interface Trainable {
  /** The flat model; its graph's outputs are the model's. */
  readonly model: Model;
  readonly types: ValueTypes;
  /** Input that stands for each weight; null for a weight that has none. */
  readonly weights: readonly (Value | null)[];
  /** Why a weight has none; null where it has one. */
  readonly reasons: readonly (string | null)[];
  /** Nodes that were to become others and are still there, by label, each with the reason as a clause. */
  readonly left: ReadonlyMap<string, string>;
  /** Sentences for the report. */
  readonly notes: readonly string[];
}

/** Makes `model` trainable at the given shapes. */
export async function makeTrainable(model: Model, circumstances: Circumstances): Promise<Trainable> {
  const { source, weights, inputShapes, threads } = circumstances;
  const feeds = await circumstances.feeds(0);
  const notes: string[] = [];
  const constant = (one: Constant): Promise<Ort.Tensor> => constantTensor(source, one);
  const fixed = { inputShapes, feeds, threads, constant };
  const run = conditionRunner(fixed);
  const modern = modernise(model, await knownRanks(model, inputShapes, threads));
  const branched = await inlineBranches(modern, run, async (partly, values) => {
    const found = new Map(await run(partly, values));
    for (let at = 1; at < circumstances.runs && found.size > 0; at++) {
      const other = conditionRunner({ inputShapes, feeds: await circumstances.feeds(at), threads, constant });
      for (const [value, truth] of await other(partly, [...found.keys()]))
        if (found.get(value) !== truth) found.delete(value);
    }
    return found;
  });
  for (const { node, branch, why } of branched.taken) notes.push(`If "${node}" takes its ${branch}: ${why}.`);
  const left = new Map<string, string>();
  for (const { node, why } of branched.left) {
    // With one run every condition that can be evaluated decides.
    const reason = `${why}${circumstances.runs === 1 ? "" : disagreement}`;
    left.set(node, reason);
    notes.push(`If "${node}" stays: ${reason}.`);
  }
  let flat = await foldShapes(branched.model, shapeRunner(fixed));
  let types = await observedTypes(flat, fixed);
  const unrolled = circumstances.unrolled ? unrollRecurrent(flat.graph, types) : { graph: flat.graph, left: [] };
  for (const { node, why } of unrolled.left) {
    left.set(node, `it is not unrolled: ${why}`);
    notes.push(`"${node}" is not unrolled: ${why}.`);
  }
  if (unrolled.graph !== flat.graph) {
    flat = { ...flat, graph: unrolled.graph };
    types = await observedTypes(flat, fixed, types);
  }
  const outputs = flat.graph.outputs.map(({ name }) => name);
  const lifted = liftWeights(reachable(flat.graph, outputs), weights, types);
  const { graph, values, reasons } = lifted;
  return { model: { ...flat, graph }, types: lifted.types, weights: values, reasons, left, notes };
}

/** First operator set whose Softmax looks along one axis: a model of an older one is raised better with ranks known. */
const softmaxAlongAxis = 13;

/** Number of axes of values, where raising the model asks for them. */
async function knownRanks(
  model: Model,
  inputShapes: InputShapes,
  threads: number,
): Promise<ReadonlyMap<string, number>> {
  const ranks = new Map<string, number>();
  if ((model.opsets.get("") ?? softmaxAlongAxis) >= softmaxAlongAxis) return ranks;
  for (const [name, { shape }] of await valueTypes(model, inputShapes, threads))
    if (shape !== null) ranks.set(name, shape.length);
  return ranks;
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
    shapes.set(name, shape);
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
