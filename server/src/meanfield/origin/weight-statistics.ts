/** What one pass over a tensor's elements tells of them: moments, zeros, and an even sample for tests of distribution. */
import { blockElements, type NumberField } from "../../formats/stored-elements.js";

export interface WeightStatistics {
  readonly size: number;
  readonly mean: number;
  /** Mean of w². */
  readonly meanSquare: number;
  readonly largest: number;
  /** Elements that are 0 or, where no code is, as near to it as their codes come. */
  readonly zeros: number;
  /** NaN and infinite elements; moments leave them out. */
  readonly nonFinite: number;
  /** Every n-th element, without zeros and what is not finite. */
  readonly sample: Float64Array;
}

/** Most elements of a sample: a Kolmogorov-Smirnov test of so many tells distributions apart that differ by 1.5 %. */
const sampleSize = 1 << 14;

/** @returns moments in float64; all 0 for a tensor without finite elements. */
export function weightStatistics(elements: NumberField & { readonly zero?: number }): WeightStatistics {
  const { size, zero = 0 } = elements;
  const block = new Float32Array(Math.min(size, blockElements));
  const step = Math.max(1, Math.floor(size / sampleSize));
  const sample: number[] = [];
  let [sum, squares, largest, zeros, nonFinite] = [0, 0, 0, 0, 0];
  for (let start = 0; start < size; start += blockElements) {
    const count = Math.min(blockElements, size - start);
    elements.read(start, count, block);
    for (let i = 0; i < count; i++) {
      const value = block[i]!;
      const magnitude = Math.abs(value);
      if (!(magnitude < Infinity)) {
        nonFinite++;
        continue;
      }
      sum += value;
      squares += value * value;
      if (magnitude > largest) largest = magnitude;
      if (value === zero) zeros++;
    }
    for (let i = (step - (start % step)) % step; i < count; i += step) {
      const value = block[i]!;
      if (value !== zero && Number.isFinite(value)) sample.push(value);
    }
  }
  const finite = Math.max(1, size - nonFinite);
  return {
    size,
    mean: sum / finite,
    meanSquare: squares / finite,
    largest,
    zeros,
    nonFinite,
    sample: Float64Array.from(sample),
  };
}
