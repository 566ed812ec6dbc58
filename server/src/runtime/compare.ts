/**
 * Compares what comes out of two models on the same input: differences, cosine, and whether the largest
 * element of each sample is at the same place. Runs are added one at a time; none of their values is kept.
 */
import type * as Ort from "onnxruntime-node";
import type { ComparedOutput } from "../../protocol/compare.js";
import { PruneScopeError } from "../../protocol/errors.js";
import { float16Bits, float16ToNumber } from "../graph/float16.js";
import { elementCount } from "../graph/tensor.js";

export type Outputs = ReadonlyMap<string, Ort.Tensor>;

/** Compares the outputs of one run. */
export function compareOutputs(original: Outputs, pruned: Outputs): ComparedOutput[] {
  const comparison = new OutputComparison();
  comparison.add(original, pruned);
  return comparison.result();
}

/** Sums over all runs so far of one output. */
interface Sums {
  readonly shape: readonly number[];
  /** False once shapes differed or NaN stood against a number. */
  comparable: boolean;
  count: number;
  max: number;
  absolute: number;
  dot: number;
  squaresOriginal: number;
  squaresPruned: number;
  maxOriginal: number;
  /** Rows along the axis of classes, and those that agree; no rows where there is no such axis. */
  rows: number;
  agreeing: number;
}

export class OutputComparison {
  readonly #outputs = new Map<string, Sums>();

  /**
   * Adds one run of both models on the same input: the numeric outputs of the original.
   * @throws PruneScopeError `shape-mismatch` where the pruned model lacks one.
   */
  add(original: Outputs, pruned: Outputs): void {
    for (const [name, a] of original) {
      const b = pruned.get(name);
      if (b === undefined)
        throw new PruneScopeError("shape-mismatch", `The pruned model has no output "${name}".`, { value: name });
      if (a.type === "string" || b.type === "string") continue;
      const sums = this.#outputs.get(name) ?? nothing(a.dims);
      this.#outputs.set(name, sums);
      // Shapes that depend on data (detections, say) may differ by right.
      const same = a.dims.join() === b.dims.join();
      const x = outputNumbers(a);
      sums.maxOriginal = Math.max(sums.maxOriginal, largest(x));
      if (!same) sums.comparable = false;
      else {
        const y = outputNumbers(b);
        addDifferences(sums, x, y);
        const axis = a.type.startsWith("float") ? axisOfClasses(a.dims) : null;
        if (axis !== null) addAgreement(sums, x, y, a.dims, axis);
      }
    }
  }

  /** What all runs so far come to, in the order of the original's outputs. */
  result(): ComparedOutput[] {
    return [...this.#outputs].map(([name, sums]) => {
      const { comparable, count } = sums;
      return {
        name,
        shape: [...sums.shape],
        maxDifference: comparable ? sums.max : null,
        meanDifference: comparable ? (count === 0 ? 0 : sums.absolute / count) : null,
        cosine: comparable ? cosineOf(sums) : null,
        argmaxAgreement: comparable && sums.rows > 0 ? sums.agreeing / sums.rows : null,
        maxOriginal: sums.maxOriginal,
      };
    });
  }
}

const nothing = (shape: readonly number[]): Sums => ({
  shape,
  comparable: true,
  count: 0,
  max: 0,
  absolute: 0,
  dot: 0,
  squaresOriginal: 0,
  squaresPruned: 0,
  maxOriginal: 0,
  rows: 0,
  agreeing: 0,
});

function addDifferences(sums: Sums, x: Float64Array, y: Float64Array): void {
  let { max, absolute, dot, squaresOriginal, squaresPruned } = sums;
  for (let i = 0; i < x.length; i++) {
    const a = x[i]!;
    const b = y[i]!;
    dot += a * b;
    squaresOriginal += a * a;
    squaresPruned += b * b;
    if (Object.is(a, b) || a === b) continue;
    const difference = Math.abs(a - b);
    if (!Number.isFinite(difference)) {
      sums.comparable = false;
      return;
    }
    max = Math.max(max, difference);
    absolute += difference;
  }
  sums.count += x.length;
  Object.assign(sums, { max, absolute, dot, squaresOriginal, squaresPruned });
}

function cosineOf({ dot, squaresOriginal, squaresPruned }: Sums): number | null {
  // The root of a square is exact, so that a model has a cosine of exactly 1 with itself.
  const cosine = dot / Math.sqrt(squaresOriginal * squaresPruned);
  return Number.isFinite(cosine) ? Math.max(-1, Math.min(1, cosine)) : null;
}

/** The last axis that is longer than 1, where it is not that of the samples; null for an output without classes. */
function axisOfClasses(dims: readonly number[]): number | null {
  let axis = dims.length - 1;
  while (axis > 0 && dims[axis] === 1) axis--;
  return axis > 0 && dims[axis]! > 1 ? axis : null;
}

function addAgreement(sums: Sums, x: Float64Array, y: Float64Array, dims: readonly number[], axis: number): void {
  const first = largestPlaces(x, dims, axis);
  const second = largestPlaces(y, dims, axis);
  sums.rows += first.length;
  for (let row = 0; row < first.length; row++) if (first[row] === second[row]) sums.agreeing++;
}

/**
 * Place along `axis` of the largest element, the first of equal ones, for every index of the other axes in their order.
 * A place of −1 means that nothing there is a number.
 */
export function largestPlaces(values: Float64Array, dims: readonly number[], axis: number): Int32Array {
  const classes = dims[axis]!;
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const places = new Int32Array(outer * inner).fill(-1);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      let best = -Infinity;
      let place = -1;
      for (let c = 0; c < classes; c++) {
        const value = values[start + c * inner]!;
        if (value > best || (place < 0 && value === best)) {
          best = value;
          place = c;
        }
      }
      places[o * inner + i] = place;
    }
  }
  return places;
}

/** Largest finite magnitude. */
function largest(values: Float64Array): number {
  let max = 0;
  for (const value of values) if (Number.isFinite(value)) max = Math.max(max, Math.abs(value));
  return max;
}

/** The elements of a numeric output. */
export function outputNumbers(tensor: Ort.Tensor): Float64Array {
  const { data } = tensor;
  if (tensor.type === "float16" && ArrayBuffer.isView(data))
    return Float64Array.from(float16Bits(data), float16ToNumber);
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}
