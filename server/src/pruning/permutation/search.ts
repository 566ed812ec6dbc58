/**
 * Searches an order of a matrix's columns in which an N:M pattern keeps more of the score (Pool and Yu 2021, NeurIPS,
 * "Channel permutations for N:M sparsity"). Only which columns share a group of m counts.
 */
import type { NofM } from "../../../protocol/recipe.js";
import { Grouping } from "./grouping.js";
import { PlainKernel } from "./kernel.js";
import { keptScore, mostScore, type ScoreMatrix } from "./kept.js";
import { columnBytes, highestScore, quantise, rowStep } from "./quantise.js";
import { hasSimd, SimdKernel } from "./simd-kernel.js";
import { Walk } from "./walk.js";

const checkpointMs = 50;

/** Bytes that a walk goes through before the clock is looked at: under a millisecond, or ten without SIMD. */
const workBetweenPauses = 1 << 22;

/** Sums of float32 numbers in float64 differ by their order, and by less than this share. */
const rounding = 1e-12;

export interface SearchOptions {
  /** Time that the search may take; what the sums and the copy take comes on top. */
  readonly seconds: number;
  /** Steps to take instead, whatever the time: with the same seed they end at the same order. */
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
  const { seconds, moves, seed, progress } = options;
  const matrix: ScoreMatrix = { scores, rows, columns };
  const pause = pauses(options.checkpoint);
  const original = Uint32Array.from({ length: columns }, (_, i) => i);
  const highest = highestScore(matrix);
  const before = await keptScore(matrix, pattern, original, pause);
  const best = await mostScore(matrix, pattern, pause);
  const unchanged: FoundPermutation = { order: original, before, after: before, best, moves: 0 };
  if (best - before <= rounding * best) return unchanged;

  const step = rowStep(matrix);
  const Kernel = hasSimd() ? SimdKernel : PlainKernel;
  const kernel = new Kernel(columnBytes(matrix, step), columns, pattern.m, pattern.n);
  await quantise(matrix, kernel, highest, step, pause);
  const walk = new Walk(new Grouping(kernel, columns, pattern.m), seed);
  const began = performance.now();
  const share = (): number => (moves === undefined ? (performance.now() - began) / 1000 / seconds : walk.moves / moves);
  for (let done = share(); done < 1 && !walk.finished; done = share()) {
    progress?.(done);
    walk.advance(moves === undefined ? Infinity : moves - walk.moves, workBetweenPauses);
    await pause();
  }
  progress?.(1);
  const after = await keptScore(matrix, pattern, walk.order, pause);
  // What wins on rounded or sampled scores may lose on the exact ones.
  if (after <= before) return { ...unchanged, moves: walk.moves };
  return { order: walk.order.slice(), before, after, best, moves: walk.moves };
}

/** Awaits `checkpoint` whenever it was not for so long. */
function pauses(checkpoint: SearchOptions["checkpoint"]): () => Promise<void> {
  if (checkpoint === undefined) return () => Promise.resolve();
  let last = performance.now();
  return async () => {
    if (performance.now() - last < checkpointMs) return;
    await checkpoint();
    last = performance.now();
  };
}
