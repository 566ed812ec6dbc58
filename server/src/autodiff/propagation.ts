/**
 * How signals and gradients go through a network, measured on data: mean squares and correlations of pre-activations,
 * and squared norms of the gradients by them (what Poole et al. 2016 and Schoenholz et al. 2017 predict of random
 * networks). Everything is reduced to a few numbers a layer in ONNX Runtime.
 */
import type * as Ort from "onnxruntime-node";
import { GraphBuilder, type Value } from "../graph/builder.js";
import { type Node, operatorLabel } from "../graph/graph.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import { uniform } from "../runtime/inputs.js";
import { probeKernels } from "../runtime/kernels.js";
import { Program } from "../runtime/program.js";
import { onnxRuntime } from "../runtime/session.js";
import { withBlockedConvolutions } from "./blocked-convolutions.js";
import { constantTensor } from "./constant-tensor.js";
import { differentiate } from "./differentiate.js";
import { layerSums } from "./layer-sums.js";
import { extended, judgedNetwork, type SensitivityInput } from "./plan.js";
import { meanCorrelation, type Probes, probesOf, type Square } from "./propagation-probes.js";
import { lossFeed, type PerWeight } from "./sensitivity.js";
import { weightTensor } from "./trainable.js";

/** One layer. Numbers that overflow float32, or of what cannot be told, are null. */
export interface MeasuredLayer {
  /** Index of the nearest layer before it, whose gains are taken to; null for the first. */
  readonly previous: number | null;
  /** Only an activation lies between the two. */
  readonly direct: boolean;
  /** Mean square of the layer's input. */
  readonly input: number | null;
  /** Mean square of the pre-activations, bias included. */
  readonly q: number | null;
  /** Mean correlation <a, b>/(|a||b|) of the pre-activations of two samples, over all pairs; null with fewer than two. */
  readonly c: number | null;
  /**
   * Mean over samples of the squared norm of the gradient of a sample's loss by its pre-activations. Norms, not means
   * over elements: from layer to layer they change by χ whatever the layers' widths.
   */
  readonly gradient: number | null;
}

export interface MeasuredPropagation {
  /** In the order of the weights; null for layers that are no plain sum, or not on the path that the inputs take. */
  readonly layers: readonly (MeasuredLayer | null)[];
  readonly loss: number;
  readonly batchNorm: "stored" | "batch" | null;
  readonly notes: readonly string[];
}

const recurrent: ReadonlySet<string> = new Set(["GRU", "LSTM", "RNN"]);
const isRecurrent = (node: Node | undefined): boolean => node !== undefined && recurrent.has(operatorLabel(node));

/**
 * Measures a network. Gradients are of the mean loss, times the number of samples: those of each sample's own loss.
 * @param weights elements to run with instead of the stored ones, under a mask for example; null where those are meant.
 * @throws PruneScopeError what data, loss and ONNX Runtime throw.
 */
export async function measurePropagation(
  input: SensitivityInput,
  weights: PerWeight = input.weights.map(() => null),
): Promise<MeasuredPropagation> {
  const { data, threads, source, seed, checkpoint } = input;
  input.progress("preparing measurements", 0, 0);
  const { trainable, judged, count, statistics } = await judgedNetwork(input, { perSample: false, temperature: 1 });
  const { graph, types } = judged;
  const runs = data.samples / count;
  // Unrolled layers are many sums, one a step.
  const plain = trainable.weights.map((value, i) => (isRecurrent(input.weights[i]!.uses[0]?.node) ? null : value));
  const sums = layerSums(graph, plain).filter((sum) =>
    [sum.input, sum.preActivation].every((value) => (types.get(value)?.dtype ?? "float") === "float"),
  );
  const kernels = await probeKernels(threads);
  const backward = differentiate(graph, {
    loss: judged.loss,
    by: sums.map(({ preActivation }) => preActivation),
    types,
    kernels,
    twice: false,
    prefix: "gradient/",
  });
  const b = new GraphBuilder("measure/", valueNames(backward.graph));
  const probes = sums.map((sum) => {
    const shape = types.get(sum.preActivation)?.shape ?? null;
    return probesOf(b, sum, shape, backward.gradients.get(sum.preActivation), { runs, count });
  });
  const units = probes.flatMap((one) => one.units ?? []);
  const always = [judged.loss, ...probes.flatMap((one) => [...scalars(one)])];
  const inBetween = units.flatMap(({ before, sum }) => (before === null ? [] : [sum]));
  const atLast = units.map(({ square }) => square);
  const outputs = [...always, ...inBetween, ...atLast];
  const inputs = units.flatMap(({ before }) => before ?? []);
  const measured = withBlockedConvolutions(reachable(extended(backward.graph, b, inputs), outputs), types, kernels);

  const { Tensor } = await onnxRuntime();
  const held: Record<string, Ort.Tensor> = {};
  for (const [i, weight] of input.weights.entries()) {
    const name = trainable.weights[i] ?? null;
    if (name === null) continue;
    const given = weights[i] ?? null;
    held[name] = given === null ? await weightTensor(source, weight) : new Tensor("float32", given, weight.shape);
  }
  const program = await Program.open(trainable.model, measured, {
    outputs,
    inputShapes: judged.inputShapes,
    threads,
    optimise: true,
    constant: (constant) => constantTensor(source, constant),
  });
  try {
    const random = uniform(seed);
    const zero = new Tensor("float32", new Float32Array(1), []);
    let before: Record<string, Ort.Tensor> = Object.fromEntries(inputs.map(({ name }) => [name, zero]));
    const totals = probes.map(() => ({ input: 0, q: 0, gradient: 0, living: 0, c: null as number | null }));
    let loss = 0;
    for (let run = 0; run < runs; run++) {
      input.progress("measuring", run, runs);
      await checkpoint();
      const batch = await data.batch(run * count, count);
      const feeds = { ...held, ...batch.feeds, ...before };
      for (const one of judged.lossInputs)
        feeds[one.value.name] = lossFeed(Tensor, one, batch, { output: judged.chosen.output }, random);
      const last = run === runs - 1;
      const made = await program.run(feeds, [...always, ...(last ? atLast : inBetween)]);
      const number = (value: Value): number => Number(made[value]!.data[0]);
      const squared = ({ scale, square }: Square): number => number(scale) ** 2 * number(square);
      loss += number(judged.loss) / runs;
      probes.forEach((probe, i) => {
        const total = totals[i]!;
        total.input += squared(probe.input) / runs;
        total.q += squared(probe.q) / runs;
        if (probe.gradient !== null) total.gradient += (count * squared(probe.gradient)) / runs;
        if (probe.units === null) return;
        total.living += Math.round(number(probe.units.living));
        if (last) total.c = meanCorrelation(number(probe.units.square), total.living);
      });
      if (!last) before = Object.fromEntries(units.map((one) => [one.before!.name, made[one.sum]!]));
    }
    input.progress("measuring", runs, runs);
    const layers: (MeasuredLayer | null)[] = input.weights.map(() => null);
    probes.forEach(({ layer, gradient }, i) => {
      const total = totals[i]!;
      layers[layer.layer] = {
        previous: layer.previous,
        direct: layer.direct,
        input: finite(total.input),
        q: finite(total.q),
        c: total.c,
        gradient: gradient === null ? null : finite(total.gradient),
      };
    });
    const overflow = probes.filter((_, i) => !Number.isFinite(totals[i]!.q + totals[i]!.gradient));
    return {
      layers,
      loss,
      batchNorm: statistics.mode,
      notes: [
        `Data: ${data.words}.`,
        ...data.notes,
        ...statistics.notes,
        ...trainable.notes,
        judged.chosen.words,
        ...(data.samples === 1 ? ["There is one sample, so that no two can be correlated."] : []),
        ...(overflow.length > 0
          ? [`Signals or gradients of ${overflow.length} layers overflow float32, and are left out.`]
          : []),
        ...backward.missing.map(
          ({ node, operator, reason }) => `No gradient goes through "${node}" (${operator}): ${reason}.`,
        ),
      ],
    };
  } finally {
    await program.close();
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What is read of a layer after every run. */
function* scalars({ input, q, units, gradient }: Probes): Iterable<Value> {
  for (const { scale, square } of [input, q, ...(gradient === null ? [] : [gradient])]) yield* [scale, square];
  if (units !== null) yield units.living;
}
