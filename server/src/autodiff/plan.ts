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
import { plainKernels, probeKernels } from "../runtime/kernels.js";
import { valueTypes } from "../runtime/shapes.js";
import { batchNormState, chooseStatistics } from "./batch-norm-state.js";
import { type Differentiated, differentiate, type MissingGradient } from "./differentiate.js";
import { type ChosenLoss, chooseLoss } from "./loss/choose.js";
import type { LossInput } from "./loss/loss.js";
import { makeTrainable, onBatchStatistics, shapesOf, type Trainable } from "./trainable.js";

/** One of a criterion's passes over the data. */
export interface Pass {
  /** What it computes. */
  readonly words: string;
  /** From 0. */
  readonly index: number;
  readonly passes: number;
}

/** What is computed for every weight w from the gradients g of the batches. All values have the weight's shape. */
export interface Reduction {
  /** Differentiate sample by sample, not batch by batch. */
  readonly perSample: boolean;
  /** What class scores are divided by. */
  readonly temperature: number;
  /** Which of a criterion's passes over the data it is, where there are more than one. */
  readonly pass?: Pass;
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
  /** `words` say what is done, empty where there is one thing only; `total` is 0 while it is not known. */
  readonly progress: (words: string, done: number, total: number) => void;
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
 * @throws PruneScopeError `missing-gradient` or `unsupported-op` when no weight has a gradient, and what data, loss and
 * ONNX Runtime throw.
 */
export async function makePlan(input: SensitivityInput, reduction: Reduction, twice: boolean): Promise<Plan> {
  const { model, data, threads } = input;
  const { trainable, judged, count, statistics } = await judgedNetwork(input, reduction);
  const { types, inputShapes, chosen } = judged;
  const first = explained(
    differentiate(judged.graph, {
      loss: judged.loss,
      by: trainable.weights.filter((value): value is Value => value !== null),
      types,
      kernels: twice ? plainKernels : await probeKernels(threads),
      twice,
      prefix: "gradient/",
    }),
    trainable,
  );
  const reasons = reasonsOf(model, trainable, first, chosen.output);
  const scored = scoredWeights(input, trainable, reasons, first);
  const notes = [
    `Data: ${data.words}.`,
    ...data.notes,
    ...(reduction.perSample && count > 1
      ? [`The model takes ${count} samples at a time: each run counts as one.`]
      : []),
    ...(!reduction.perSample && count < data.samples
      ? [`The batch of ${data.samples} is taken in ${data.samples / count} runs of ${count} and averaged.`]
      : []),
    ...statistics.notes,
    ...trainable.notes,
    chosen.words,
    ...first.missing.map((missing) => `No gradient: ${describe(model, missing)}.`),
  ];
  return {
    model: trainable.model,
    weights: trainable.weights,
    types,
    first,
    loss: judged.loss,
    lossInputs: judged.lossInputs,
    output: chosen.output,
    inputShapes,
    count,
    scored,
    reasons,
    batchNorm: statistics.mode,
    notes,
  };
}

/** A network that ends in a loss, before anything is differentiated. */
export interface JudgedNetwork {
  readonly trainable: Trainable;
  readonly judged: Judged;
  /** Samples per run. */
  readonly count: number;
  readonly statistics: ReturnType<typeof chooseStatistics>;
}

/** Makes the model trainable for as many samples a run as fit, chooses BatchNormalization's statistics, and adds the loss. */
export async function judgedNetwork(
  input: SensitivityInput,
  reduction: Pick<Reduction, "perSample" | "temperature">,
): Promise<JudgedNetwork> {
  const { source, data, threads } = input;
  const fitting = await fittingRuns(input, reduction);
  const { count } = fitting;
  const { state } = batchNormState(fitting.trainable.model.graph, source);
  const statistics = chooseStatistics(state, input.batchNorm, { data, count, perSample: reduction.perSample });
  const trainable =
    statistics.mode === "batch"
      ? await onBatchStatistics(fitting.trainable, data.shapes(count), threads)
      : fitting.trainable;
  return { trainable, judged: await attachLoss(input, trainable, count, reduction.temperature), count, statistics };
}

/** The trainable model for as many samples a run as fit, and their number. */
async function fittingRuns(
  input: SensitivityInput,
  { perSample }: Pick<Reduction, "perSample">,
): Promise<{ readonly trainable: Trainable; readonly count: number }> {
  const { model, source, weights, data, threads } = input;
  let count = data.samplesPerRun ?? (perSample ? 1 : data.samples);
  for (;;) {
    const size = count;
    const trainable = await makeTrainable(model, {
      source,
      weights,
      inputShapes: data.shapes(size),
      runs: data.samples / size,
      feeds: async (run) => (await data.batch(run * size, size)).feeds,
      unrolled: true,
      threads,
    });
    count = fittingCount(input, trainable.types, size);
    if (count === size) return { trainable, count };
  }
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

/** A trainable model that ends in a loss. */
export interface Judged {
  readonly graph: Graph;
  readonly types: ValueTypes;
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
  readonly loss: Value;
  readonly lossInputs: readonly LossInput[];
  readonly chosen: ChosenLoss;
}

async function attachLoss(
  input: SensitivityInput,
  trainable: Trainable,
  count: number,
  temperature: number,
): Promise<Judged> {
  const { data, threads } = input;
  const { graph } = trainable.model;
  const { labels } = await data.batch(0, count);
  const offered = { labels: labels?.shape ?? null, targets: data.targets.map((target) => target.output) };
  const chosen = chooseLoss(graph, trainable.types, offered, input.loss);
  const { value: output, shape, classAxis } = chosen;
  if (data.labels !== null && chosen.loss.needs === "labels") checkLabels(data.labels, shape[classAxis]!);
  const b = new GraphBuilder("loss/", valueNames(graph));
  const { loss, inputs } = chosen.loss.attach({ b, output, shape, classAxis, temperature });
  const withLoss = extended(
    reachable(graph, [output]),
    b,
    inputs.map(({ value }) => value),
  );
  const inputShapes = shapesOf(withLoss, data.shapes(count));
  const types = new Map([...trainable.types, ...(await lossTypes(trainable, output, b, inputs, threads))]);
  return { graph: withLoss, types, inputShapes, loss, lossInputs: inputs, chosen };
}

/** Types of what a loss consists of, found from its own nodes alone: the network's types are known. */
function lossTypes(
  { model, types }: Trainable,
  output: Value,
  { nodes, constants }: GraphBuilder,
  inputs: readonly LossInput[],
  threads: number,
): Promise<ValueTypes> {
  const { dtype, shape } = types.get(output)!;
  const given = [{ name: output, dtype, shape }, ...inputs.map(({ value }) => value)];
  const graph = { ...model.graph, inputs: given, outputs: [], nodes, constants };
  return valueTypes({ ...model, graph }, shapesOf(graph, new Map()), threads);
}

/** With the reasons why nodes are still there that have no gradient and could have gone. */
function explained(first: Differentiated, { left }: Trainable): Differentiated {
  const missing = new Map(first.missing.map((one) => [one, { ...one, reason: left.get(one.node) ?? one.reason }]));
  const cut = new Map([...first.cut].map(([value, by]) => [value, by.map((one) => missing.get(one) ?? one)]));
  return { ...first, cut, missing: [...missing.values()] };
}

/** Why each weight has no gradient; null where it has one. */
function reasonsOf(
  model: Model,
  { weights, reasons }: Trainable,
  first: Differentiated,
  output: string,
): Plan["reasons"] {
  return weights.map((value, i) => {
    if (value === null) return reasons[i] ?? null;
    if (first.gradients.has(value)) return null;
    const cut = first.cut.get(value);
    if (cut === undefined) return `the loss of output "${output}" does not depend on it`;
    return `its gradient is cut off by ${cut.map((one) => describe(model, one)).join(" and ")}`;
  });
}

/** The weights that have a gradient. @throws PruneScopeError when there are none. */
function scoredWeights(
  { model, weights }: SensitivityInput,
  trainable: Trainable,
  reasons: Plan["reasons"],
  { missing }: Differentiated,
): Plan["scored"] {
  const scored = weights.flatMap(({ shape }, index) => {
    const value = trainable.weights[index] ?? null;
    return value === null || reasons[index] !== null ? [] : [{ value, index, shape }];
  });
  if (scored.length > 0) return scored;
  const [weight] = weights;
  throw new PruneScopeError(
    missing.length > 0 ? "missing-gradient" : "unsupported-op",
    `No layer has a gradient: "${weight?.id ?? ""}" has none because ${reasons[0] ?? "there is none"}. Choose another output or a criterion without gradients.`,
    missing[0] === undefined ? {} : subjectOf(model, missing[0]),
  );
}

function describe(model: Model, missing: MissingGradient): string {
  const { node, operator, opset } = subjectOf(model, missing);
  return `node "${node}" (${operator}${opset === undefined ? "" : `, opset ${opset}`}): ${missing.reason}`;
}

function subjectOf({ opsets }: Model, { node, operator }: MissingGradient): SubjectOfGradient {
  const domain = operator.includes(".") ? operator.slice(0, operator.lastIndexOf(".")) : "";
  const opset = opsets.get(domain);
  return { node, operator, ...(opset === undefined ? {} : { opset }) };
}

type SubjectOfGradient = Pick<MissingGradient, "node" | "operator"> & { readonly opset?: number };

/** @throws PruneScopeError `missing-gradient` for the first of what a second differentiation misses. */
export function refuse(model: Model, missing: readonly MissingGradient[]): void {
  const [first] = missing;
  if (first === undefined) return;
  throw new PruneScopeError(
    "missing-gradient",
    `The gradient cannot be differentiated once more at ${describe(model, first)}. Choose a criterion of first order.`,
    subjectOf(model, first),
  );
}
