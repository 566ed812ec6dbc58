/**
 * The one pass over all scores that everything else is read off: per layer a histogram of the keys' upper halves (8
 * bits of exponent, 7 of mantissa), statistics, and the strongest score of each output.
 */
import type { AxisRoles } from "../../protocol/model.js";
import { elementCount } from "../graph/tensor.js";
import { firstNonFiniteKey, type OrderedScores, outsideKey } from "./order.js";

/** Counts of the bins that are not empty, ascending. */
export interface SparseHistogram {
  readonly bins: Uint16Array;
  readonly counts: Uint32Array;
}

/** What the survey knows of one layer. */
export interface LayerSurvey {
  readonly size: number;
  /** Weights that a restriction removes: the histogram has them, in its first bin, and the statistics do not. */
  readonly outside: number;
  /** Of key >>> 16. */
  readonly histogram: SparseHistogram;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly maxKey: number;
  readonly zeros: number;
  readonly nonFinite: number;
  /** Largest key of each output; null when the weight has no output axis that rows can be told by. */
  readonly outputMax: Uint32Array | null;
}

/** How an element's index gives its output: output = floor(i / inner) % outputs + outputs · floor(i / stride). */
export interface OutputLayout {
  readonly inner: number;
  readonly outputs: number;
  readonly stride: number;
  readonly total: number;
}

/**
 * Layout of a weight's outputs, or null: no output axis, several that do not lie side by side, elements stored sparsely,
 * or outputs spread over groups.
 */
export function outputLayout(shape: readonly number[], roles: AxisRoles, sparse: boolean): OutputLayout | null {
  const axis = roles.out[0];
  if (axis === undefined || roles.out.some((one, i) => one !== axis + i) || sparse) return null;
  // A transposed convolution has the inputs of all groups along one axis, and the outputs of one along the other.
  if (roles.groups > 1 && axis !== 0 && elementCount(roles.in.map((one) => shape[one]!)) > 1) return null;
  if (roles.batch.some((batch, i) => batch !== i) || roles.batch.length > axis) return null;
  const total = elementCount(shape);
  const outer = elementCount(shape.slice(0, roles.batch.length));
  const end = axis + roles.out.length;
  const outputs = elementCount(shape.slice(axis, end));
  if (total === 0) return null;
  return { inner: elementCount(shape.slice(end)), outputs, stride: total / outer, total: outputs * outer };
}

/** Surveys the layers one after the other; `between` is called after each with the number of elements done. */
export async function survey(
  scores: OrderedScores,
  layouts: readonly (OutputLayout | null)[],
  between: (done: number) => Promise<void>,
): Promise<LayerSurvey[]> {
  const dense = new Uint32Array(65536);
  const result: LayerSurvey[] = [];
  let done = 0;
  for (let l = 0; l < scores.layers.length; l++) {
    result.push(surveyLayer(scores, l, layouts[l] ?? null, dense));
    done += scores.layers[l]!.size;
    await between(done);
  }
  return result;
}

function surveyLayer(scores: OrderedScores, l: number, layout: OutputLayout | null, dense: Uint32Array): LayerSurvey {
  const { size } = scores.layers[l]!;
  // Without outputs to tell apart the whole layer is one.
  const rows = layout ?? { inner: size, outputs: 1, stride: size, total: 1 };
  const max = new Uint32Array(rows.total);
  const zeroKey = scores.signed ? 0x80000000 : 0;
  let sum = 0;
  let sumOfSquares = 0;
  let zeros = 0;
  let outside = 0;
  let nonFinite = 0;
  const outsideBin = outsideKey >>> 16;
  // Short loops that each do one thing over a block in the cache are faster than one loop that does all.
  scores.blocks(l, (keys, start, count, values) => {
    const zeroBin = dense[zeroKey >>> 16]!;
    const first = dense[outsideBin]!;
    countUpper(keys, count, dense);
    if (dense[zeroKey >>> 16]! > zeroBin) for (let i = 0; i < count; i++) if (keys[i] === zeroKey) zeros++;
    raiseOutputs(max, rows, keys, start, count);
    // Among unsigned scores that bin is one of tiny numbers.
    if (scores.signed && dense[outsideBin]! > first) outside += clearOutside(keys, values, count);
    const block = moments(values, count);
    sum += block.sum;
    sumOfSquares += block.squares;
    if (!Number.isFinite(block.sum)) for (let i = 0; i < count; i++) if (!Number.isFinite(values[i]!)) nonFinite++;
  });
  let maxKey = 0;
  for (const key of max) if (key > maxKey) maxKey = key;
  const outputMax = layout === null ? null : max;
  return { size, outside, histogram: compress(dense), sum, sumOfSquares, maxKey, zeros, nonFinite, outputMax };
}

/** Counts the upper halves of the keys. */
function countUpper(keys: Uint32Array, count: number, dense: Uint32Array): void {
  for (let i = 0; i < count; i++) {
    const bin = keys[i]! >>> 16;
    dense[bin] = dense[bin]! + 1;
  }
}

/** Sets the scores of what is outside to 0, so that they add nothing to a sum; returns how many they are. */
function clearOutside(keys: Uint32Array, values: Float32Array, count: number): number {
  let outside = 0;
  for (let i = 0; i < count; i++) {
    if (keys[i] !== outsideKey) continue;
    values[i] = 0;
    outside++;
  }
  return outside;
}

/** Sum and sum of squares, in float64, with two accumulators each: additions wait for each other otherwise. */
function moments(values: Float32Array, count: number): { readonly sum: number; readonly squares: number } {
  let sum = 0;
  let otherSum = 0;
  let squares = 0;
  let otherSquares = 0;
  const even = count & ~1;
  for (let i = 0; i < even; i += 2) {
    const a = values[i]!;
    const b = values[i + 1]!;
    sum += a;
    otherSum += b;
    squares += a * a;
    otherSquares += b * b;
  }
  if (even < count) {
    sum += values[even]!;
    squares += values[even]! * values[even]!;
  }
  return { sum: sum + otherSum, squares: squares + otherSquares };
}

/** Raises the maximum of each output that the block touches. */
function raiseOutputs(max: Uint32Array, layout: OutputLayout, keys: Uint32Array, start: number, count: number): void {
  const { inner, outputs, stride } = layout;
  for (let i = 0; i < count;) {
    const index = start + i;
    const first = Math.floor(index / stride) * outputs;
    let row = Math.floor(index / inner) % outputs;
    if (inner === 1) {
      // Outputs run along the last axis: one key for each.
      const end = Math.min(count, i + outputs - row);
      for (; i < end; i++, row++) if (keys[i]! > max[first + row]!) max[first + row] = keys[i]!;
      continue;
    }
    const end = Math.min(count, i + inner - (index % inner));
    let best = max[first + row]!;
    for (; i < end; i++) if (keys[i]! > best) best = keys[i]!;
    max[first + row] = best;
  }
}

/** Takes the counts out of a dense histogram and leaves it empty. */
export function compress(dense: Uint32Array): SparseHistogram {
  let used = 0;
  for (let bin = 0; bin < dense.length; bin++) if (dense[bin] !== 0) used++;
  const bins = new Uint16Array(used);
  const counts = new Uint32Array(used);
  for (let bin = 0, at = 0; bin < dense.length; bin++) {
    if (dense[bin] === 0) continue;
    bins[at] = bin;
    counts[at++] = dense[bin]!;
  }
  dense.fill(0);
  return { bins, counts };
}

/** Elements of a histogram in `bin`. */
export function countIn(histogram: SparseHistogram, bin: number): number {
  const { bins, counts } = histogram;
  let low = 0;
  let high = bins.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bins[middle]! < bin) low = middle + 1;
    else high = middle;
  }
  return bins[low] === bin ? counts[low]! : 0;
}

/** Elements of a histogram in bins above `bin`. */
export function countAbove(histogram: SparseHistogram, bin: number): number {
  const { bins, counts } = histogram;
  let count = 0;
  for (let i = bins.length - 1; i >= 0 && bins[i]! > bin; i--) count += counts[i]!;
  return count;
}

/** Sum of histograms over all bins. */
export function addHistograms(histograms: Iterable<SparseHistogram>): Float64Array {
  const sum = new Float64Array(65536);
  for (const { bins, counts } of histograms) for (let i = 0; i < bins.length; i++) sum[bins[i]!]! += counts[i]!;
  return sum;
}

/** Weights of a layer that no restriction removes. */
export const survivors = ({ size, outside }: LayerSurvey): number => size - outside;

/** Whether a layer's every score is 0: it cannot be ranked. A layer of which restrictions leave nothing is another matter. */
export function hasNoSignal(layer: LayerSurvey): boolean {
  return layer.zeros === survivors(layer) && layer.zeros > 0;
}

export { firstNonFiniteKey };
