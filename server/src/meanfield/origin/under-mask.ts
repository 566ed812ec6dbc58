/**
 * What a mask can make of a drawn form. A mask by magnitude leaves the form without its middle. A mask by any score that
 * tends to keep large weights leaves magnitudes X with P(|W| > x) ≤ P(X > x) ≤ P(|W| > x)/kept for every x, and as many of
 * one sign as of the other: what lies outside of that was not drawn.
 */
import { erfc } from "../normal.js";
import type { DrawnForm } from "./distributions.js";
import { ksProbability } from "./kolmogorov-smirnov.js";

/**
 * The form without the share `zeros` of least magnitude.
 * @param least the smallest magnitude that is left.
 * @returns the standard deviation of the whole form that puts this share below it, and the cumulative function of the rest.
 */
export function withoutSmallest(
  form: DrawnForm,
  zeros: number,
  least: number,
): { readonly deviation: number; readonly cumulative: (x: number) => number } {
  const below = (deviation: number): number => 2 * form.cumulative(least, deviation) - 1;
  // The share below `least` falls with the deviation.
  let [low, high] = [least / 10, least / 10];
  while (below(high) > zeros && high < least * 1e6) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (below(middle) > zeros) low = middle;
    else high = middle;
  }
  const deviation = high;
  const share = below(deviation);
  return {
    deviation,
    cumulative: (x) => {
      const whole = form.cumulative(x, deviation);
      const left = x < 0 ? Math.min(whole, (1 - share) / 2) : Math.max(whole - share, (1 - share) / 2);
      return left / (1 - share);
    },
  };
}

/** Magnitudes that are looked at, evenly among the sorted, and standard deviations that are tried, by this factor. */
const looked = 512;
const factor = 1.05;

/**
 * Probability of magnitudes so far outside of what a mask can leave, and of so many of one sign, for the best standard deviation.
 * @param sorted weights that are kept, in ascending order. @param kept share of the weights that they are.
 */
export function maskedProbability(form: DrawnForm, sorted: Float64Array, kept: number): number {
  const n = sorted.length;
  const magnitudes = sorted.map(Math.abs).sort();
  const step = Math.max(1, Math.floor(n / looked));
  let best = Infinity;
  // The whole has at most the deviation of what is kept, and at least √kept times it.
  const largest = Math.sqrt(magnitudes.reduce((sum, x) => sum + x * x, 0) / n) * factor;
  for (let deviation = largest; deviation > (largest * Math.sqrt(kept)) / factor ** 3; deviation /= factor) {
    let distance = 0;
    for (let i = 0; i < n; i += step) {
      const above = 2 * (1 - form.cumulative(magnitudes[i]!, deviation));
      distance = Math.max(distance, above - (n - i) / n, (kept * (n - i)) / n - above);
    }
    best = Math.min(best, distance);
  }
  const positive = sorted.reduce((count, x) => count + (x > 0 ? 1 : 0), 0);
  const signs = erfc(Math.abs(2 * positive - n) / Math.sqrt(2 * n));
  // Steps of 5 % leave a distance of up to a hundredth that is nobody's fault.
  return Math.min(signs, ksProbability(Math.max(0, best - 0.01), n));
}
