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
import { extended, makePlan, type Pass, type Plan, type Reduction, refuse, type SensitivityInput } from "./plan.js";
import { type Sum, withSums } from "./reduction-sums.js";
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
  /** What is open, while anything is kept. */
  #kept: Map<Reduction, Computation> | null = null;

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

  /**
   * Keeps what is opened during `work`, so that the same reduction over changed elements runs again without being built
   * again; closes it afterwards.
   */
  async keeping<T>(work: () => Promise<T>): Promise<T> {
    const kept = new Map<Reduction, Computation>();
    this.#kept = kept;
    try {
      return await work();
    } finally {
      this.#kept = null;
      for (const { program } of kept.values()) await program.close();
    }
  }

  /** Elements of weight `i` as runs take them, held here: what is set to 0 is 0 in the next run. */
  async elements(i: number): Promise<Float32Array> {
    const tensor = (this.#held[i] ??= await weightTensor(this.#input.source, this.#input.weights[i]!));
    return tensor.data as Float32Array;
  }

  /** Computes `reduction` of the gradients. */
  async gradients(reduction: Reduction): Promise<PerWeight> {
    return this.#computed(reduction, async () => {
      this.#input.progress("preparing gradients", 0, 0);
      const plan = await makePlan(this.#input, reduction, false);
      const by = plan.scored.map(({ value }) => plan.first.gradients.get(value)!);
      return this.#open(plan, plan.first.graph, by, reduction, []);
    }, []);
  }

  /**
   * Computes `reduction` of H·v, the Hessian of the loss times one vector: v is what `gradients` of the same loss gave.
   * It is the gradient of Σ g·v with v held fixed (Pearlmutter 1994), summed over batches like a gradient.
   */
  async hessianProduct(vector: PerWeight, reduction: Reduction): Promise<PerWeight> {
    return this.#computed(reduction, () => this.#openProduct(reduction), vector);
  }

  async #openProduct(reduction: Reduction): Promise<Computation> {
    this.#input.progress("preparing second derivatives", 0, 0);
    const plan = await makePlan(this.#input, reduction, true);
    const names = valueNames(plan.first.graph);
    const b = new GraphBuilder("product/", names);
    const inputs: ValueInfo[] = [];
    const terms = plan.scored.map(({ value, shape }) => {
      const name = b.fresh("v");
      inputs.push({ name, dtype: "float", shape });
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
    const vectors = inputs.map(({ name }) => name);
    return this.#open(plan, extended(second.graph, zeros, []), products, reduction, vectors);
  }

  /** Runs a computation that is kept, or one that is made for it and closed after it. */
  async #computed(reduction: Reduction, make: () => Promise<Computation>, vector: PerWeight): Promise<PerWeight> {
    const known = this.#kept?.get(reduction);
    if (known !== undefined) return this.#run(known, vector);
    const made = await make();
    this.#kept?.set(reduction, made);
    try {
      return await this.#run(made, vector);
    } finally {
      if (this.#kept === null) await made.program.close();
    }
  }

  /** Opens a session for what `reduction` takes of `values` of a graph. */
  async #open(
    plan: Plan,
    graph: Graph,
    values: readonly Value[],
    reduction: Reduction,
    vectors: readonly Value[],
  ): Promise<Computation> {
    const { data, threads, source } = this.#input;
    const runs = data.samples / plan.count;
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
    return { plan, program, runs, sums: summed.entries, vectors, pass: reduction.pass ?? null };
  }

  /** Runs over the data and sums. */
  async #run(
    { plan, program, runs, sums: entries, vectors, pass }: Computation,
    vector: PerWeight,
  ): Promise<PerWeight> {
    const { weights, data, checkpoint, seed } = this.#input;
    const { Tensor } = await onnxRuntime();
    const { words, index, passes } = pass ?? { words: "", index: 0, passes: 1 };
    const progress = (run: number): void => {
      this.#input.progress(words, index * runs + run, passes * runs);
    };
    const held: Record<string, Ort.Tensor> = { ...(await this.#weightFeeds(plan)) };
    plan.scored.forEach(({ index: weight, shape }, i) => {
      const name = vectors[i];
      if (name !== undefined) held[name] = new Tensor("float32", vector[weight]!, shape);
    });
    const random = uniform(seed);
    const zero = new Tensor("float32", new Float32Array(1), []);
    let sums: Record<string, Ort.Tensor> = Object.fromEntries(entries.map(({ before }) => [before, zero]));
    let loss = 0;
    for (let run = 0; ; run++) {
      progress(run);
      await checkpoint();
      const batch = await data.batch(run * plan.count, plan.count);
      const feeds = { ...held, ...batch.feeds, ...sums };
      for (const input of plan.lossInputs) feeds[input.value.name] = lossFeed(Tensor, input, batch, plan, random);
      const last = run === runs - 1;
      const wanted = entries.map(({ sum, result }) => (last ? result : sum));
      const made = await program.run(feeds, [plan.loss, ...wanted]);
      loss += Number(made[plan.loss]!.data[0]) / runs;
      if (!last) {
        sums = Object.fromEntries(entries.map(({ before, sum }) => [before, made[sum]!]));
        continue;
      }
      progress(runs);
      this.#finished(plan, loss);
      const results: (Float32Array | null)[] = weights.map(() => null);
      for (const one of entries) results[one.index] = made[one.result]!.data as Float32Array;
      return results;
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

/** A session that computes one reduction. */
interface Computation {
  readonly plan: Plan;
  readonly program: Program;
  /** Runs over all of the data. */
  readonly runs: number;
  readonly sums: readonly Sum[];
  /** Inputs for the vector of a product, of the scored weights in their order; none for gradients. */
  readonly vectors: readonly Value[];
  readonly pass: Pass | null;
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
