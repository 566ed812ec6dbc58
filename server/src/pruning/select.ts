/**
 * Exact selection: which weights go when `remove` of a pool of layers must go. Radix selection on the score's key, 16
 * bits at a time, then on what breaks ties: linear time, no sort, and memory that does not grow with the model.
 */
import { comparePlaces, type OrderedScores, type Place } from "./order.js";
import { addHistograms, compress, countAbove, countIn, type LayerSurvey, type SparseHistogram } from "./survey.js";

/** The last weight in the order that is removed: everything behind it is kept. */
export type Cut = Place;

/** A cut that removes every weight whose score has this key. */
export const wholeTie = (key: number): Cut => ({
  key,
  magnitude: Infinity,
  hash: Infinity,
  layer: Infinity,
  index: Infinity,
});

/** Outcome for the layers of a pool. */
export interface Selection {
  /** Null when nothing is removed. */
  readonly cut: Cut | null;
  /** Kept weights of each layer of the pool, in the pool's order. */
  readonly kept: readonly number[];
}

/**
 * Finds the cut that removes exactly `remove` weights of the layers in `pool` (indices into the survey).
 * One pass over the layers that have scores in the deciding bin; more only where equal scores must be told apart.
 */
export function select(
  scores: OrderedScores,
  surveys: readonly LayerSurvey[],
  pool: readonly number[],
  remove: number,
): Selection {
  const sizes = pool.map((l) => surveys[l]!.size);
  if (remove <= 0) return { cut: null, kept: sizes };

  const upper = addHistograms(pool.map((l) => surveys[l]!.histogram));
  const { bin, before } = findBin(upper, remove);
  const lower = refine(scores, surveys, pool, bin);
  const lowerSum = addHistograms(lower);
  const { bin: lowBin, before: beforeTies } = findBin(lowerSum, remove - before);
  const key = bin * 65536 + lowBin;
  const ties = lower.map((histogram) => countIn(histogram, lowBin));
  const tied = lowerSum[lowBin]!;
  const removeTied = remove - before - beforeTies;
  const above = pool.map((l, p) => countAbove(surveys[l]!.histogram, bin) + countAbove(lower[p]!, lowBin));
  if (removeTied === tied) return { cut: wholeTie(key), kept: above };

  const cut = cutTies(scores, pool, ties, key, removeTied);
  const keptTies = countTiesBehind(scores, pool, ties, cut);
  return { cut, kept: above.map((count, p) => count + keptTies[p]!) };
}

/** The bin that holds the `rank`-th element (1-based), and how many elements lie before that bin. */
function findBin(histogram: Float64Array, rank: number): { readonly bin: number; readonly before: number } {
  let before = 0;
  for (let bin = 0; bin < histogram.length; bin++) {
    const count = histogram[bin]!;
    if (before + count >= rank) return { bin, before };
    before += count;
  }
  throw new RangeError(`cannot remove ${rank} of ${before} weights`);
}

/** Histograms of the keys' lower halves inside one bin of the upper halves. */
function refine(
  scores: OrderedScores,
  surveys: readonly LayerSurvey[],
  pool: readonly number[],
  bin: number,
): SparseHistogram[] {
  const dense = new Uint32Array(65536);
  const empty: SparseHistogram = { bins: new Uint16Array(0), counts: new Uint32Array(0) };
  return pool.map((l) => {
    if (countIn(surveys[l]!.histogram, bin) === 0) return empty;
    scores.blocks(l, (keys, _start, count) => countLower(keys, count, bin, dense));
    return compress(dense);
  });
}

/** Counts the lower halves of the keys whose upper half is `bin`. Loops stay out of closures, which engines inline badly. */
function countLower(keys: Uint32Array, count: number, bin: number, dense: Uint32Array): void {
  for (let i = 0; i < count; i++) {
    const key = keys[i]!;
    if (key >>> 16 !== bin) continue;
    const low = key & 0xffff;
    dense[low] = dense[low]! + 1;
  }
}

/** Calls `visit` with the magnitude and hash of every element of the pool whose key is `key`, in file order. */
function visitTies(
  scores: OrderedScores,
  pool: readonly number[],
  ties: readonly number[],
  key: number,
  visit: (p: number, index: number, magnitude: number, hash: number) => void,
): void {
  pool.forEach((l, p) => {
    if (ties[p] === 0) return;
    scores.blocks(l, (keys, start, count) => {
      let magnitudes: Float64Array | null = null;
      for (let i = 0; i < count; i++) {
        if (keys[i] !== key) continue;
        magnitudes ??= scores.magnitudes(l, start, count);
        visit(p, start + i, magnitudes[i]!, scores.hash(l, start + i));
      }
    });
  });
}

/** Digits of 16 bits that order ties, most significant first: the magnitude's float64 bits, then the hash. */
const tieDigits = 6;

/** The `rank`-th of the elements that share a key. */
function cutTies(
  scores: OrderedScores,
  pool: readonly number[],
  ties: readonly number[],
  key: number,
  rank: number,
): Cut {
  const word = new DataView(new ArrayBuffer(8));
  const digit = (d: number, magnitude: number, hash: number): number => {
    if (d >= 4) return d === 4 ? hash >>> 16 : hash & 0xffff;
    word.setFloat64(0, magnitude);
    return word.getUint16(2 * d);
  };
  const fixed: number[] = [];
  let left = rank;
  const histogram = new Float64Array(65536);
  const first = scores.magnitudeDecided ? 4 : 0;
  for (let d = first; d < tieDigits; d++) {
    histogram.fill(0);
    visitTies(scores, pool, ties, key, (_p, _index, magnitude, hash) => {
      for (let e = first; e < d; e++) if (digit(e, magnitude, hash) !== fixed[e]) return;
      histogram[digit(d, magnitude, hash)]!++;
    });
    const { bin, before } = findBin(histogram, left);
    fixed[d] = bin;
    left -= before;
  }
  const found: Cut[] = [];
  visitTies(scores, pool, ties, key, (p, index, magnitude, hash) => {
    for (let e = first; e < tieDigits; e++) if (digit(e, magnitude, hash) !== fixed[e]) return;
    if (--left === 0) found.push({ key, magnitude, hash, layer: pool[p]!, index });
  });
  const [cut] = found;
  if (cut === undefined) throw new Error("the ties changed while they were counted");
  return cut;
}

/** Ties of each layer of the pool that lie behind the cut. */
function countTiesBehind(scores: OrderedScores, pool: readonly number[], ties: readonly number[], cut: Cut): number[] {
  const kept = pool.map(() => 0);
  visitTies(scores, pool, ties, cut.key, (p, index, magnitude, hash) => {
    if (comparePlaces({ key: cut.key, magnitude, hash, layer: pool[p]!, index }, cut) > 0) kept[p]!++;
  });
  return kept;
}
