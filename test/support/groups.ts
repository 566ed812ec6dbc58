/** Groups of an N:M pattern by their definition: m elements along one axis, the other coordinates the same. Slow and plain. */
import { uniform } from "./arrays.js";

/** Indices of the elements of every group, in the order of their first elements. */
export function groupsOf(shape: readonly number[], axis: number, m: number): number[][] {
  const size = shape.reduce((product, length) => product * length, 1);
  const stride = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const coordinate = (index: number): number => Math.floor(index / stride) % shape[axis]!;
  return Array.from({ length: size }, (_, index) => index)
    .filter((index) => coordinate(index) % m === 0)
    .map((index) => Array.from({ length: m }, (_, k) => index + k * stride));
}

/** `values` with 0 in all but the `n` largest magnitudes of each group; the first of equal ones stays. */
export function withPattern(
  values: readonly number[],
  shape: readonly number[],
  axis: number,
  { n, m }: { readonly n: number; readonly m: number },
): number[] {
  const out = [...values];
  for (const group of groupsOf(shape, axis, m)) {
    const order = [...group].sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b);
    for (const index of order.slice(n)) out[index] = 0;
  }
  return out;
}

/** Numbers in {1, 2, 3} of which a share is 0 instead. */
export function holed(seed: number, count: number, zeroShare: number): number[] {
  const random = uniform(seed);
  return Array.from({ length: count }, () => (random() < zeroShare ? 0 : 1 + Math.floor(3 * random())));
}
