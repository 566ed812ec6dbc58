/** A seeded choice of samples without replacement. */
import { uniform } from "../runtime/inputs.js";

/**
 * `count` of the numbers 0 … `available` − 1, ascending: the first swaps of a Fisher-Yates shuffle behind `skip` others,
 * so that choices of one seed that skip each other's share no number.
 */
export function chooseRows(available: number, count: number, seed: number, skip = 0): number[] {
  const random = uniform(seed);
  // Only places that were swapped are held: `available` may be any number that a file claims.
  const moved = new Map<number, number>();
  const chosen: number[] = [];
  for (let i = 0; i < skip + count; i++) {
    const j = i + Math.floor(random() * (available - i));
    if (i >= skip) chosen.push(moved.get(j) ?? j);
    moved.set(j, moved.get(i) ?? i);
  }
  return chosen.sort((a, b) => a - b);
}
