/** What is measured of one layer's sum, as nodes of the graph: a few numbers a run leave the engine, whatever its size. */
import type { GraphBuilder, Value } from "../graph/builder.js";
import type { ValueInfo } from "../graph/graph.js";
import { elementCount } from "../graph/tensor.js";
import type { LayerSum } from "./layer-sums.js";

/** A mean or sum of squares as scale² · square, so that neither end of float32 is met. */
export interface Square {
  readonly scale: Value;
  readonly square: Value;
}

/** The samples as unit vectors u_s, summed: |Σ u_s|² = n + the correlations of all pairs, twice. */
export interface UnitSum {
  /** Input: the sum over the runs before; null where there is one run. */
  readonly before: ValueInfo | null;
  /** With this run's samples. */
  readonly sum: Value;
  /** |sum|². */
  readonly square: Value;
  /** This run's samples that are not 0, as Σ |u_s|². */
  readonly living: Value;
}

export interface Probes {
  readonly layer: LayerSum;
  readonly input: Square;
  readonly q: Square;
  /** Null where samples cannot be told apart. */
  readonly units: UnitSum | null;
  /** Sum over the run; null where no gradient comes. */
  readonly gradient: Square | null;
}

/** How samples come. */
export interface Runs {
  readonly runs: number;
  /** Samples in one of them. */
  readonly count: number;
}

/** Below every float32 that is no subnormal: divides zeros by something. */
const smallest = 1e-37;

/** @param shape of the pre-activations. @param gradient by them. */
export function probesOf(
  b: GraphBuilder,
  layer: LayerSum,
  shape: readonly number[] | null,
  gradient: Value | undefined,
  runs: Runs,
): Probes {
  return {
    layer,
    input: squareOf(b, layer.input, "ReduceMean"),
    q: squareOf(b, layer.preActivation, "ReduceMean"),
    units: shape === null ? null : unitSum(b, layer.preActivation, shape, runs),
    gradient: gradient === undefined ? null : squareOf(b, gradient, "ReduceSum"),
  };
}

/** Scaled by the largest element first. */
function squareOf(b: GraphBuilder, value: Value, reduce: "ReduceMean" | "ReduceSum"): Square {
  const largest = b.op("ReduceMax", [b.op("Abs", [value])], { keepdims: 0 });
  const scale = b.op("Max", [largest, b.scalar(smallest)]);
  const scaled = b.div(value, scale);
  return { scale, square: b.op(reduce, [b.mul(scaled, scaled)], { keepdims: 0 }) };
}

/** With one sample a run all of the value is its; else its first axis must be that of the samples. */
function unitSum(b: GraphBuilder, value: Value, shape: readonly number[], { runs, count }: Runs): UnitSum | null {
  const length = elementCount(shape) / count;
  if (count > 1 && shape[0] !== count) return null;
  const rows = b.reshape(value, [count, length]);
  // Scaled by their largest element first: squares of small signals would be lost in float32.
  const largest = b.op("ReduceMax", [b.op("Abs", [rows]), b.ints([1])], { keepdims: 1 });
  const scaled = b.div(rows, b.op("Max", [largest, b.scalar(smallest)]));
  const norm = b.op("ReduceL2", [scaled, b.ints([1])], { keepdims: 1 });
  // The largest element of a scaled row is 1, or all are 0.
  const units = b.div(scaled, b.op("Max", [norm, b.scalar(0.5)]));
  const own = b.op("ReduceSum", [units, b.ints([0])], { keepdims: 0 });
  // Before the first run it is the scalar 0, so its shape is left open.
  const before: ValueInfo | null = runs === 1 ? null : { name: b.fresh("before"), dtype: "float", shape: null };
  const sum = before === null ? own : b.add(own, before.name);
  return {
    before,
    sum,
    square: b.op("ReduceSumSquare", [sum], { keepdims: 0 }),
    living: b.op("ReduceSumSquare", [units], { keepdims: 0 }),
  };
}

/** Mean of the correlations of all pairs of `living` samples; null with fewer than two. */
export function meanCorrelation(square: number, living: number): number | null {
  if (living < 2) return null;
  const mean = (square - living) / (living * (living - 1));
  // Rounding may leave the interval by a little.
  return Number.isFinite(mean) ? Math.min(1, Math.max(-1, mean)) : null;
}
