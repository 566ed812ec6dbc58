/**
 * How signals and gradients go through a network, measured on data: mean squares and correlations of pre-activations,
 * and squared norms of the gradients by them. Everything is reduced to a few numbers a layer in ONNX Runtime.
 */
import type * as Ort from "onnxruntime-node";
import { GraphBuilder, type Value } from "../graph/builder.js";
import { valueNames } from "../graph/rebuild.js";
import { reachable } from "../graph/reachable.js";
import { elementCount } from "../graph/tensor.js";
import { uniform } from "../runtime/inputs.js";
import { probeKernels } from "../runtime/kernels.js";
import { Program } from "../runtime/program.js";
import { onnxRuntime } from "../runtime/session.js";
import { constantTensor } from "./constant-tensor.js";
import { differentiate } from "./differentiate.js";
import { type LayerSum, layerSums } from "./layer-sums.js";
import { extended, judgedNetwork, type SensitivityInput } from "./plan.js";
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
  /** Mean correlation of the pre-activations of two samples; null with one sample a run. */
  readonly c: number | null;
  /** Mean over samples of the squared norm of the gradient of a sample's loss by its pre-activations. */
  readonly gradient: number | null;
}

export interface MeasuredPropagation {
  /** In the order of the weights; null for layers that are no plain sum, or not on the path that the inputs take. */
  readonly layers: readonly (MeasuredLayer | null)[];
  readonly loss: number;
  readonly batchNorm: "stored" | "batch" | null;
  readonly notes: readonly string[];
}

/** Values of one layer in the graph. */
interface Probes {
  readonly sum: LayerSum;
  readonly input: Square;
  readonly q: Square;
  /** |Σ of the samples' unit vectors|², and how many of them are not 0; null where samples cannot be told apart. */
  readonly unit: { readonly square: Value; readonly count: Value } | null;
  readonly gradient: Square | null;
}

/** A mean or sum of squares as scale² · square, so that neither ends of float32 are met. */
interface Square {
  readonly scale: Value;
  readonly square: Value;
}

/**
 * Measures a network. Gradients are of the mean loss, times the number of samples: those of each sample's own loss.
 * @param weights elements to run with instead of the stored ones; null where those are meant.
 * @throws PruneScopeError what data, loss and ONNX Runtime throw.
 */
export async function measurePropagation(
  input: SensitivityInput,
  weights: PerWeight = input.weights.map(() => null),
): Promise<MeasuredPropagation> {
  const { data, threads, source, seed, checkpoint } = input;
  input.progress("preparing measurements", 0, 0);
  const { trainable, judged, count, statistics } = await judgedNetwork(input, { perSample: false, temperature: 1 });
  const sums = layerSums(judged.graph, trainable.weights);
  const backward = differentiate(judged.graph, {
    loss: judged.loss,
    by: sums.map(({ preActivation }) => preActivation),
    types: judged.types,
    kernels: await probeKernels(threads),
    twice: false,
    prefix: "gradient/",
  });
  const b = new GraphBuilder("measure/", valueNames(backward.graph));
  const probes = sums.map((sum): Probes => {
    const shape = judged.types.get(sum.preActivation)?.shape ?? [];
    const gradient = backward.gradients.get(sum.preActivation);
    return {
      sum,
      input: squareOf(b, sum.input, "ReduceMean"),
      q: squareOf(b, sum.preActivation, "ReduceMean"),
      unit: count > 1 && shape.length > 1 && shape[0] === count ? unitSum(b, sum.preActivation, shape) : null,
      gradient: gradient === undefined ? null : squareOf(b, gradient, "ReduceSum"),
    };
  });
  const outputs = [
    judged.loss,
    ...probes.flatMap(({ input: first, q, unit, gradient }) => [
      ...[first, q, ...(gradient === null ? [] : [gradient])].flatMap(({ scale, square }) => [scale, square]),
      ...(unit === null ? [] : [unit.square, unit.count]),
    ]),
  ];
  const { Tensor } = await onnxRuntime();
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [i, weight] of input.weights.entries()) {
    const name = trainable.weights[i] ?? null;
    if (name === null) continue;
    const given = weights[i] ?? null;
    feeds[name] = given === null ? await weightTensor(source, weight) : new Tensor("float32", given, weight.shape);
  }
  const program = await Program.open(trainable.model, reachable(extended(backward.graph, b, []), outputs), {
    outputs,
    inputShapes: judged.inputShapes,
    threads,
    optimise: true,
    constant: (constant) => constantTensor(source, constant),
  });
  try {
    const random = uniform(seed);
    const runs = data.samples / count;
    const totals = probes.map(() => ({ input: 0, q: 0, c: 0, gradient: 0 }));
    let loss = 0;
    for (let run = 0; run < runs; run++) {
      input.progress("measuring", run, runs);
      await checkpoint();
      const batch = await data.batch(run * count, count);
      const given = { ...feeds, ...batch.feeds };
      for (const one of judged.lossInputs)
        given[one.value.name] = lossFeed(Tensor, one, batch, { output: judged.chosen.output }, random);
      const made = await program.run(given, outputs);
      const number = (value: Value): number => Number(made[value]!.data[0]);
      const squared = ({ scale, square }: Square): number => number(scale) ** 2 * number(square);
      loss += number(judged.loss) / runs;
      probes.forEach((probe, i) => {
        const total = totals[i]!;
        total.input += squared(probe.input) / runs;
        total.q += squared(probe.q) / runs;
        if (probe.unit !== null) {
          const living = number(probe.unit.count);
          total.c += (number(probe.unit.square) - living) / (living * (living - 1)) / runs;
        }
        if (probe.gradient !== null) total.gradient += (count * squared(probe.gradient)) / runs;
      });
    }
    input.progress("measuring", runs, runs);
    const layers: (MeasuredLayer | null)[] = input.weights.map(() => null);
    probes.forEach(({ sum, unit, gradient }, i) => {
      const total = totals[i]!;
      layers[sum.layer] = {
        previous: sum.previous,
        direct: sum.direct,
        input: finite(total.input),
        q: finite(total.q),
        // Rounding may leave the interval by a little.
        c: unit === null ? null : finite(Math.min(1, Math.max(-1, total.c))),
        gradient: gradient === null ? null : finite(total.gradient),
      };
    });
    const overflow = layers.some((layer) => layer !== null && (layer.q === null || layer.input === null));
    return {
      layers,
      loss,
      batchNorm: statistics.mode,
      notes: [
        ...statistics.notes,
        judged.chosen.words,
        ...(count === 1 ? ["The model takes one sample at a time, so that no two can be correlated."] : []),
        ...(overflow ? ["Signals overflow float32 in some layers: they are left out."] : []),
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

/** Scaled by the largest element first. */
function squareOf(b: GraphBuilder, value: Value, reduce: "ReduceMean" | "ReduceSum"): Square {
  const scale = b.op("Max", [b.op("ReduceMax", [b.op("Abs", [value])], { keepdims: 0 }), b.scalar(1e-37)]);
  const scaled = b.div(value, scale);
  return { scale, square: b.op(reduce, [b.mul(scaled, scaled)], { keepdims: 0 }) };
}

/** The samples as unit vectors, summed. */
function unitSum(b: GraphBuilder, value: Value, shape: readonly number[]): NonNullable<Probes["unit"]> {
  const [samples] = shape as [number];
  const rows = b.reshape(value, [samples, elementCount(shape.slice(1))]);
  // Scaled by their largest element first: squares of small signals would be lost in float32.
  const largest = b.op("ReduceMax", [b.op("Abs", [rows]), b.ints([1])], { keepdims: 1 });
  const safe = b.op("Max", [largest, b.scalar(1e-37)]);
  const scaled = b.div(rows, safe);
  const norm = b.op("ReduceL2", [scaled, b.ints([1])], { keepdims: 1 });
  const units = b.div(scaled, b.op("Max", [norm, b.scalar(1e-12)]));
  return {
    square: b.op("ReduceSumSquare", [b.reduceSum(units, [0])], { keepdims: 0 }),
    count: b.op("ReduceSumSquare", [units], { keepdims: 0 }),
  };
}
