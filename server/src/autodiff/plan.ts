/**
 * How sensitivities are computed: how many samples a run takes, which output is judged by which loss, the graph with
 * its gradients, and which weights have none.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { BatchNormMode } from "../../protocol/recipe.js";
import { checkLabels, type Dataset } from "../data/dataset.js";
import type { Source } from "../formats/source.js";
import { GraphBuilder, type Value } from "../graph/builder.js";
import type { Graph, Model, ValueInfo } from "../graph/graph.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import { elementCount, isFloat } from "../graph/tensor.js";
import type { ValueTypes } from "../graph/value-type.js";
import { type Feeds } from "../runtime/program.js";
import { probeKernels } from "../runtime/kernels.js";
import { valueTypes } from "../runtime/shapes.js";
import { batchNormState } from "./batch-norm-state.js";
import { type Differentiated, differentiate, type MissingGradient } from "./differentiate.js";
import { chooseLoss } from "./loss/choose.js";
import type { LossInput } from "./loss/loss.js";
import { makeTrainable, onBatchStatistics, shapesOf, type Trainable } from "./trainable.js";

/** What is computed for every weight w from the gradients g of the batches. All values have the weight's shape. */
export interface Reduction {
  /** Differentiate sample by sample, not batch by batch. */
  readonly perSample: boolean;
  /** What class scores are divided by. */
  readonly temperature: number;
  /** What is summed over the batches. */
  step(b: GraphBuilder, w: Value, g: Value): Value;
  /** The result, from the mean over the batches. */
  finish(b: GraphBuilder, w: Value, mean: Value): Value;
}

export interface SensitivityInput {
  readonly model: Model;
  readonly source: Source;
  readonly weights: readonly PrunableWeight[];
  readonly data: Dataset;
  /** As in the recipe. */
  readonly loss: string | null;
  readonly batchNorm: BatchNormMode;
  readonly seed: number;
  readonly threads: number;
  /** Most bytes that the activations of one run may take. */
  readonly activationBytes: number;
  readonly progress: (done: number, total: number) => void;
  readonly checkpoint: () => Promise<void>;
}

/** What one computation runs. */
export interface Plan {
  readonly model: Model;
  /** Input that stands for each weight. */
  readonly weights: readonly (Value | null)[];
  /** Types of the values before differentiation. */
  readonly types: ValueTypes;
  readonly first: Differentiated;
  readonly loss: Value;
  readonly lossInputs: readonly LossInput[];
  /** The output that is judged. */
  readonly output: string;
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
  /** Samples per run. */
  readonly count: number;
  readonly scored: readonly { readonly value: Value; readonly index: number; readonly shape: readonly number[] }[];
  /** Why a weight has no gradient; null where it has one. */
  readonly reasons: readonly (string | null)[];
  readonly batchNorm: "stored" | "batch" | null;
  readonly notes: readonly string[];
}

/** Least number of samples whose statistics stand for a BatchNormalization layer's. */
const leastForBatchStatistics = 32;

/** Bytes of activations and cotangents that live at once, per byte of all activations: an upper bound. */
const liveShare = 2;

/** `graph` with what was built, and more inputs. */
export function extended(graph: Graph, b: GraphBuilder, inputs: readonly ValueInfo[]): Graph {
  return {
    ...graph,
    inputs: [...graph.inputs, ...inputs],
    constants: new Map([...graph.constants, ...b.constants]),
    nodes: [...graph.nodes, ...b.nodes],
  };
}

/**
 * Makes the graph that computes the gradients which `reduction` asks for; `twice` when it will be differentiated again.
 * @throws PruneScopeError `missing-gradient` when no weight has a gradient.
 */
export async function makePlan(input: SensitivityInput, reduction: Reduction, twice: boolean): Promise<Plan> {
  const { model, source, weights, data, threads } = input;
  const notes = [`Data: ${data.words}.`, ...data.notes];
  let count = reduction.perSample ? (data.samplesPerRun ?? 1) : (data.samplesPerRun ?? data.samples);
  let trainable: Trainable;
  for (;;) {
    const inputShapes = data.shapes(count);
    const size = count;
    const feeds = async (run: number): Promise<Feeds> => (await data.batch(run * size, size)).feeds;
    trainable = await makeTrainable(model, { source, weights, inputShapes, runs: data.samples / size, feeds, threads });
    const smaller = fittingCount(input, trainable.types, count);
    if (smaller === count) break;
    count = smaller;
  }
  const batchNorm = await batchNormMode(input, trainable, count, reduction, notes);
  if (batchNorm === "batch") trainable = await onBatchStatistics(trainable, data.shapes(count), threads);
  notes.push(...trainable.notes);

  const { graph } = trainable.model;
  const samples = await data.batch(0, count);
  const chosen = chooseLoss(
    graph,
    trainable.types,
    {
      labels: data.labels !== null,
      targets: data.targets.length > 0,
      labelShape: samples.labels?.shape ?? null,
    },
    input.loss,
  );
  notes.push(chosen.words);
  if (data.labels !== null && chosen.loss.needs === "labels") checkLabels(data.labels, chosen.shape[chosen.classAxis]!);
  const b = new GraphBuilder("loss/", valueNames(graph));
  const { temperature } = reduction;
  const { value: output, shape, classAxis } = chosen;
  const { loss, inputs } = chosen.loss.attach({ b, output, shape, classAxis, temperature });
  const withLoss = extended(
    reachable(graph, [output]),
    b,
    inputs.map(({ value }) => value),
  );
  const inputShapes = shapesOf(withLoss, data.shapes(count));
  const types = await valueTypes({ ...trainable.model, graph: withLoss }, inputShapes, threads, trainable.types);
  const by = trainable.weights.filter((value): value is Value => value !== null);
  const first = differentiate(withLoss, {
    loss,
    by,
    types,
    kernels: twice ? { nchwc: null } : await probeKernels(threads),
    twice,
    prefix: "gradient/",
  });
  const reasons = weights.map((_, i) => {
    const value = trainable.weights[i] ?? null;
    if (value === null) return trainable.reasons[i] ?? null;
    if (first.gradients.has(value)) return null;
    const cut = first.cut.get(value);
    if (cut === undefined) return `the loss of output "${chosen.output}" does not depend on it`;
    return `its gradient is cut off by ${cut.map((one) => describe(model, one)).join(" and ")}`;
  });
  for (const missing of first.missing) notes.push(`No gradient: ${describe(model, missing)}.`);
  const scored = weights.flatMap((weight, index) => {
    const value = trainable.weights[index] ?? null;
    return value === null || reasons[index] !== null ? [] : [{ value, index, shape: weight.shape }];
  });
  if (scored.length === 0) {
    const why = reasons.find((reason) => reason !== null) ?? "there is none";
    throw new PruneScopeError(
      first.missing.length > 0 ? "missing-gradient" : "unsupported-op",
      `No layer has a gradient: "${weights[0]?.id ?? ""}" has none because ${why}.`,
      first.missing[0] === undefined ? {} : { node: first.missing[0].node, operator: first.missing[0].operator },
    );
  }
  return {
    model: trainable.model,
    types,
    first,
    loss,
    lossInputs: inputs,
    output: chosen.output,
    inputShapes,
    count,
    scored,
    reasons,
    batchNorm,
    weights: trainable.weights,
    notes,
  };
}

function describe(model: Model, { node, operator, reason }: MissingGradient): string {
  const domain = operator.includes(".") ? operator.slice(0, operator.lastIndexOf(".")) : "";
  const opset = model.opsets.get(domain);
  return `node "${node}" (${operator}${opset === undefined ? "" : `, opset ${opset}`}): ${reason}`;
}

/** @throws PruneScopeError `missing-gradient` for the first of what a second differentiation misses. */
export function refuse(model: Model, missing: readonly MissingGradient[]): void {
  const [first] = missing;
  if (first === undefined) return;
  throw new PruneScopeError(
    "missing-gradient",
    `The gradient cannot be differentiated once more at ${describe(model, first)}. Choose a criterion of first order.`,
    { node: first.node, operator: first.operator },
  );
}

/** A number of samples whose activations fit, the largest that divides the data evenly. */
function fittingCount({ data, activationBytes }: SensitivityInput, types: ValueTypes, count: number): number {
  if (data.samplesPerRun !== null || count === 1) return count;
  let bytes = 0;
  for (const { dtype, shape } of types.values()) if (shape !== null && isFloat(dtype)) bytes += 4 * elementCount(shape);
  const fitting = Math.floor((activationBytes / (liveShare * bytes)) * count);
  if (fitting >= count) return count;
  let smaller = Math.max(1, fitting);
  while (data.samples % smaller !== 0) smaller--;
  return smaller;
}

/** Which statistics BatchNormalization uses, and a note that says so. */
async function batchNormMode(
  { batchNorm: wanted, data, source }: SensitivityInput,
  trainable: Trainable,
  count: number,
  { perSample }: Reduction,
  notes: string[],
): Promise<"stored" | "batch" | null> {
  const state = await batchNormState(trainable.model.graph, source);
  if (state === "none") return null;
  const mode = wanted === "auto" ? (state === "fresh" ? "batch" : "stored") : wanted;
  const why = wanted === "auto" ? ` (its layers look ${state === "fresh" ? "freshly initialised" : "trained"})` : "";
  if (mode === "batch") {
    const obstacle = perSample
      ? "this criterion looks at one sample at a time"
      : count < data.samples
        ? "the batch does not fit into one run"
        : count < leastForBatchStatistics
          ? `it takes ${leastForBatchStatistics} samples or more, and there are ${count}`
          : null;
    if (obstacle === null) {
      notes.push(`BatchNormalization: statistics of the batch${why}.`);
      return "batch";
    }
    notes.push(`BatchNormalization: stored statistics, not the batch's: ${obstacle}.`);
    return "stored";
  }
  notes.push(`BatchNormalization: stored statistics${why}.`);
  return "stored";
}
