/**
 * Derivatives of a model's loss by its weights, over data, reduced to one number per weight in the engine. What
 * gradient criteria are made of: a criterion says what is summed over batches and what becomes of the sum.
 */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Batch } from "../data/dataset.js";
import { arrayField, type NumberField } from "../formats/stored-elements.js";
import { GraphBuilder, type Value } from "../graph/builder.js";
import type { Constant, Graph, ValueInfo } from "../graph/graph.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import { elementCount } from "../graph/tensor.js";
import { uniform } from "../runtime/inputs.js";
import { type Kernels, plainKernels, probeKernels } from "../runtime/kernels.js";
import { Program } from "../runtime/program.js";
import { onnxRuntime } from "../runtime/session.js";
import { valueTypes } from "../runtime/shapes.js";
import { withBlockedConvolutions } from "./blocked-convolutions.js";
import { constantTensor } from "./constant-tensor.js";
import { differentiate } from "./differentiate.js";
import type { LossInput } from "./loss/loss.js";
import { extended, makePlan, type Plan, type Reduction, refuse, type SensitivityInput } from "./plan.js";
import { makeTrainable, shapesOf, type Trainable, weightTensor } from "./trainable.js";

/** One array per weight, in the order of the weights; null where there is none. */
export type PerWeight = readonly (Float32Array | null)[];

/** What is known once something was computed. */
export interface Circumstance {
  /** Mean loss over the data; null when no loss was taken. */
  readonly loss: number | null;
  readonly batchNorm: "stored" | "batch" | null;
  /** Why a weight has no number; null where it has one. */
  readonly reasons: readonly (string | null)[];
  /** Sentences about data, loss and what was left out. */
  readonly notes: readonly string[];
}

/** A flat network with its weights' elements, read once. */
export interface Network extends Trainable {
  /** Null for a weight that the network has no input for. */
  readonly elements: PerWeight;
  readonly constant: (constant: Constant) => Promise<Ort.Tensor>;
  readonly kernels: Kernels;
  readonly threads: number;
}

export class Sensitivity {
  readonly #input: SensitivityInput;
  readonly #held: Ort.Tensor[] = [];
  #known: Circumstance | null = null;

  constructor(input: SensitivityInput) {
    this.#input = input;
  }

  /** Of the last computation. */
  get circumstance(): Circumstance {
    if (this.#known === null) throw new Error("nothing was computed yet");
    return this.#known;
  }

  /** What was computed as scores. */
  scores(values: PerWeight): { readonly fields: readonly (NumberField | null)[]; readonly circumstance: Circumstance } {
    return {
      fields: values.map((array) => (array === null ? null : arrayField(array))),
      circumstance: this.circumstance,
    };
  }

  /**
   * The network itself, for criteria that build their own graphs: flat, one run's worth of samples as small as the data
   * allows, recurrent layers as they are.
   */
  async network(): Promise<Network> {
    const { model, source, weights, data, threads, progress } = this.#input;
    progress("preparing the network", 0, 0);
    const count = data.samplesPerRun ?? 1;
    const trainable = await makeTrainable(model, {
      source,
      weights,
      inputShapes: data.shapes(count),
      runs: 1,
      feeds: async () => (await data.batch(0, count)).feeds,
      unrolled: false,
      threads,
    });
    const elements: (Float32Array | null)[] = [];
    for (const [i, weight] of weights.entries()) {
      const tensor = trainable.weights[i] == null ? null : await weightTensor(source, weight);
      elements.push(tensor === null ? null : (tensor.data as Float32Array));
    }
    const constant = (one: Constant): Promise<Ort.Tensor> => constantTensor(source, one);
    return { ...trainable, elements, constant, kernels: await probeKernels(threads), threads };
  }

  /** Computes `reduction` of the gradients. */
  async gradients(reduction: Reduction): Promise<PerWeight> {
    this.#input.progress("preparing gradients", 0, 0);
    const plan = await makePlan(this.#input, reduction, false);
    const by = plan.scored.map(({ value }) => value);
    return this.#sum(
      plan,
      plan.first.graph,
      by.map((value) => plan.first.gradients.get(value)!),
      reduction,
      {},
    );
  }

  /**
   * Computes `reduction` of H·v, the Hessian of the loss times one vector: v is what `gradients` of the same loss gave.
   * It is the gradient of Σ g·v with v held fixed (Pearlmutter 1994), summed over batches like a gradient.
   */
  async hessianProduct(vector: PerWeight, reduction: Reduction): Promise<PerWeight> {
    this.#input.progress("preparing second derivatives", 0, 0);
    const plan = await makePlan(this.#input, reduction, true);
    const { Tensor } = await onnxRuntime();
    const names = valueNames(plan.first.graph);
    const b = new GraphBuilder("product/", names);
    const feeds: Record<string, Ort.Tensor> = {};
    const inputs: ValueInfo[] = [];
    const terms = plan.scored.map(({ value, index, shape }) => {
      const name = b.fresh("v");
      inputs.push({ name, dtype: "float", shape });
      feeds[name] = new Tensor("float32", vector[index]!, shape);
      return b.reduceSum(
        b.mul(plan.first.gradients.get(value)!, name),
        shape.map((_, axis) => axis),
      );
    });
    const product = b.sum(terms);
    const graph = extended(plan.first.graph, b, inputs);
    const { threads } = this.#input;
    const types = await valueTypes({ ...plan.model, graph }, shapesOf(graph, plan.inputShapes), threads, plan.types);
    const by = plan.scored.map(({ value }) => value);
    const second = differentiate(graph, {
      loss: product,
      by,
      types,
      kernels: plainKernels,
      twice: false,
      prefix: "second/",
    });
    refuse(this.#input.model, second.missing);
    // A weight that the gradients do not depend on has a Hessian of zeros in its rows.
    const zeros = new GraphBuilder("none/", valueNames(second.graph));
    const products = plan.scored.map(({ value, shape }) => second.gradients.get(value) ?? zeros.zeros(shape));
    return this.#sum(plan, extended(second.graph, zeros, []), products, reduction, feeds);
  }

  /** Runs over the data and sums. */
  async #sum(
    plan: Plan,
    graph: Graph,
    values: readonly Value[],
    reduction: Reduction,
    extra: Readonly<Record<string, Ort.Tensor>>,
  ): Promise<PerWeight> {
    const { weights, data, threads, checkpoint, source, seed } = this.#input;
    const { Tensor } = await onnxRuntime();
    const runs = data.samples / plan.count;
    const { words, index: pass, passes } = reduction.pass ?? { words: "", index: 0, passes: 1 };
    const progress = (run: number): void => {
      this.#input.progress(words, pass * runs + run, passes * runs);
    };
    const summed = withSums(plan, graph, values, reduction, runs);
    // Nothing is differentiated any more: convolutions of the forward pass may take the form that runs fastest.
    const fastest = withBlockedConvolutions(summed.graph, plan.types, await probeKernels(threads));
    const program = await Program.open(plan.model, fastest, {
      outputs: summed.outputs,
      inputShapes: plan.inputShapes,
      threads,
      optimise: true,
      constant: (constant) => constantTensor(source, constant),
    });
    try {
      const weightFeeds = await this.#weightFeeds(plan);
      const random = uniform(seed);
      const zero = new Tensor("float32", new Float32Array(1), []);
      let sums: Record<string, Ort.Tensor> = Object.fromEntries(summed.entries.map(({ before }) => [before, zero]));
      let loss = 0;
      for (let run = 0; ; run++) {
        progress(run);
        await checkpoint();
        const batch = await data.batch(run * plan.count, plan.count);
        const feeds = { ...weightFeeds, ...batch.feeds, ...extra, ...sums };
        for (const input of plan.lossInputs) feeds[input.value.name] = lossFeed(Tensor, input, batch, plan, random);
        const last = run === runs - 1;
        const wanted = summed.entries.map(({ sum, result }) => (last ? result : sum));
        const made = await program.run(feeds, [plan.loss, ...wanted]);
        loss += Number(made[plan.loss]!.data[0]) / runs;
        if (!last) {
          sums = Object.fromEntries(summed.entries.map(({ before, sum }) => [before, made[sum]!]));
          continue;
        }
        progress(runs);
        this.#finished(plan, loss);
        const results: (Float32Array | null)[] = weights.map(() => null);
        for (const { index, result } of summed.entries) results[index] = made[result]!.data as Float32Array;
        return results;
      }
    } finally {
      await program.close();
    }
  }

  #finished(plan: Plan, loss: number): void {
    if (!Number.isFinite(loss)) {
      throw new PruneScopeError(
        "non-finite",
        `The loss is ${loss}: the model's output overflows on this data. Check the scale of the inputs and the weights.`,
      );
    }
    const { batchNorm, reasons, notes } = plan;
    this.#known = { loss, batchNorm, reasons, notes };
  }

  /** Every weight as a tensor, read once. */
  async #weightFeeds({ weights }: Plan): Promise<Readonly<Record<string, Ort.Tensor>>> {
    const feeds: Record<string, Ort.Tensor> = {};
    for (const [i, weight] of this.#input.weights.entries()) {
      const name = weights[i] ?? null;
      if (name !== null) feeds[name] = this.#held[i] ??= await weightTensor(this.#input.source, weight);
    }
    return feeds;
  }
}

/** What is summed of one weight over the runs. */
interface Sum {
  /** Index of the weight. */
  readonly index: number;
  /** Input: the sum over the runs before. */
  readonly before: Value;
  /** The sum with this run. */
  readonly sum: Value;
  /** What the reduction makes of the mean, once this run is the last. */
  readonly result: Value;
}

/** `graph` with the sums of what `reduction` takes of `values`, one for each weight that is scored. */
function withSums(
  plan: Plan,
  graph: Graph,
  values: readonly Value[],
  reduction: Reduction,
  runs: number,
): { readonly graph: Graph; readonly outputs: readonly Value[]; readonly entries: readonly Sum[] } {
  const b = new GraphBuilder("score/", valueNames(graph));
  const inputs: ValueInfo[] = [];
  const entries = plan.scored.map(({ value, index }, i): Sum => {
    const term = reduction.step(b, value, values[i]!);
    const before = b.fresh("before");
    if (runs === 1) return { index, before, sum: term, result: reduction.finish(b, value, term) };
    // Before the first run it is the scalar 0, so its shape is left open.
    inputs.push({ name: before, dtype: "float", shape: null });
    const sum = b.add(term, before);
    return { index, before, sum, result: reduction.finish(b, value, b.scale(sum, 1 / runs)) };
  });
  const outputs = [plan.loss, ...entries.flatMap(({ sum, result }) => (runs === 1 ? [result] : [sum, result]))];
  return { graph: reachable(extended(graph, b, inputs), outputs), outputs, entries };
}

/** What a loss is fed for one batch. */
export function lossFeed(
  Tensor: typeof Ort.Tensor,
  { kind, value }: LossInput,
  batch: Batch,
  { output }: Pick<Plan, "output">,
  random: () => number,
): Ort.Tensor {
  const { shape } = value;
  if (kind === "gumbel") {
    const noise = Float32Array.from({ length: elementCount(shape) }, () => -Math.log(-Math.log(1 - random())));
    return new Tensor("float32", noise, shape);
  }
  const given =
    kind === "labels"
      ? batch.labels
      : (batch.targets.find((one) => one.output === output) ?? batch.targets.find((one) => one.output === null));
  if (given === null || given === undefined) throw new Error(`a loss was chosen whose ${kind} the data does not hold`);
  if (elementCount(given.shape) !== elementCount(shape)) {
    throw new PruneScopeError(
      "shape-mismatch",
      `The ${kind} of a batch have shape [${given.shape.join(", ")}]; output "${output}" needs [${shape.join(", ")}].`,
      { value: output },
    );
  }
  return given.values instanceof BigInt64Array
    ? new Tensor("int64", given.values, shape)
    : new Tensor("float32", given.values, shape);
}
