/**
 * The strictest N:M patterns that a layer meets. With the most elements that are not 0 in any group of m known for
 * several m, a layer meets n:m if and only if n is not below that of m. A pattern is left out that follows from another
 * one that is met: 1:2 from 1:4, because a half of a group has no more than the group; 2:4 from 1:2, because two groups
 * have no more than both together.
 */
import type { NofM } from "../../../protocol/recipe.js";

/** Groups that are looked at: those of published kernels and papers, each twice the last. Of n only powers of 2 count. */
export const groupSizes: readonly number[] = Object.freeze([2, 4, 8, 16]);

/** Weakest pattern that is worth a word: one that leaves half of a group. */
export const loosest = (m: number): number => m / 2;

/** Least power of 2 that is not below a number. */
const powerAbove = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, least)));

/**
 * The strictest of the patterns that are met, most zeros first.
 * @param most for each m, the most elements of one group that are not 0.
 */
export function strictestPatterns(most: ReadonlyMap<number, number>): NofM[] {
  const met = [...most].filter(([m, n]) => n <= loosest(m)).map(([m, n]) => ({ n: powerAbove(n), m }));
  return met
    .filter((pattern) => !met.some((other) => other !== pattern && implies(other, pattern)))
    .sort((a, b) => a.n / a.m - b.n / b.m || a.m - b.m);
}

/** Whether every tensor that meets `a` meets `b`, where the m of one divides that of the other. */
function implies(a: NofM, b: NofM): boolean {
  if (b.m % a.m === 0) return a.n * (b.m / a.m) <= b.n;
  return a.m % b.m === 0 && a.n <= b.n;
}
