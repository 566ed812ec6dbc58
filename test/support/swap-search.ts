/** The plainest search for a permutation: random swaps that are undone where they lose. Slow, and short to read. */
import type { NofM } from "../../server/protocol/recipe.js";
import { keptScore, mostScore } from "../../server/src/pruning/permutation/kept.js";
import type { FoundPermutation, SearchOptions } from "../../server/src/pruning/permutation/search.js";
import { uniform } from "./arrays.js";

/** Swaps that are tried where nothing says how many. */
const defaultMoves = 60;

export async function swapSearch(
  scores: Float32Array,
  rows: number,
  columns: number,
  pattern: NofM,
  { moves = defaultMoves, seed }: SearchOptions,
): Promise<FoundPermutation> {
  const matrix = { scores, rows, columns };
  const pause = (): Promise<void> => Promise.resolve();
  const random = uniform(seed);
  const order = Uint32Array.from({ length: columns }, (_, i) => i);
  const before = await keptScore(matrix, pattern, order, pause);
  let after = before;
  for (let move = 0; move < moves; move++) {
    const [i, j] = [Math.floor(random() * columns), Math.floor(random() * columns)];
    const swap = (): void => void ([order[i], order[j]] = [order[j]!, order[i]!]);
    swap();
    const now = await keptScore(matrix, pattern, order, pause);
    if (now > after) after = now;
    else swap();
  }
  return { order, before, after, best: await mostScore(matrix, pattern, pause), moves };
}
