/**
 * Layer collapse, exactly: the sparsity at which each layer loses its last weight. With r the rank (1-based, in the
 * order of removal) of a layer's strongest weight among all N, the layer is gone at r / N and still there at (r − 1)/N.
 */
import { comparePlaces, type OrderedScores, type Place } from "./order.js";
import { addHistograms, type LayerSurvey } from "./survey.js";

/**
 * Rank of the strongest weight of each layer in `pool` among all weights of the pool, under a global scope.
 * One pass over the layers that have scores in a bin where some layer's strongest lies; two more where scores tie there.
 */
export function lastRanks(scores: OrderedScores, surveys: readonly LayerSurvey[], pool: readonly number[]): number[] {
  const tops = Uint32Array.from(new Set(pool.map((l) => surveys[l]!.maxKey))).sort();
  const flagged = new Uint8Array(65536);
  // Index of the first top in or behind each flagged bin: few tops share a bin, so the search from there is short.
  const firstTop = new Int32Array(65536);
  tops.forEach((key, j) => {
    if (flagged[key >>> 16] === 0) firstTop[key >>> 16] = j;
    flagged[key >>> 16] = 1;
  });
  const visits = pool.filter((l) => surveys[l]!.histogram.bins.some((bin) => flagged[bin] === 1));

  // between[j]: elements of flagged bins with tops[j − 1] < key < tops[j]; equal[j]: with key = tops[j].
  const between = new Float64Array(tops.length + 1);
  const equal = new Float64Array(tops.length);
  for (const l of visits) {
    scores.blocks(l, (keys, _start, count) => countAround(keys, count, tops, flagged, firstTop, between, equal));
  }
  const upper = addHistograms(pool.map((l) => surveys[l]!.histogram));
  const below = new Float64Array(tops.length);
  let unflagged = 0;
  let inFlagged = 0;
  for (let j = 0, bin = 0; j < tops.length; j++) {
    for (; bin < tops[j]! >>> 16; bin++) if (flagged[bin] === 0) unflagged += upper[bin]!;
    inFlagged += between[j]!;
    below[j] = unflagged + inFlagged;
    inFlagged += equal[j]!;
  }
  const behind = ranksAmongTies(scores, surveys, pool, visits, tops, equal);
  return pool.map((l, p) => below[lowerBound(tops, surveys[l]!.maxKey)]! + behind[p]!);
}

/** Counts the keys of one block that lie in flagged bins: at a top, or before the next one. */
function countAround(
  keys: Uint32Array,
  count: number,
  tops: Uint32Array,
  flagged: Uint8Array,
  firstTop: Int32Array,
  between: Float64Array,
  equal: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const key = keys[i]!;
    const bin = key >>> 16;
    if (flagged[bin] === 0) continue;
    let j = firstTop[bin]!;
    while (j < tops.length && tops[j]! < key) j++;
    if (j < tops.length && tops[j] === key) equal[j] = equal[j]! + 1;
    else between[j] = between[j]! + 1;
  }
}

/** For each layer of the pool: how many of the weights that tie with its strongest lie at or before it in the order. */
function ranksAmongTies(
  scores: OrderedScores,
  surveys: readonly LayerSurvey[],
  pool: readonly number[],
  visits: readonly number[],
  tops: Uint32Array,
  equal: Float64Array,
): number[] {
  const tied = new Set([...tops].filter((_, j) => equal[j]! > 1));
  const ranks = pool.map(() => 1);
  if (tied.size === 0) return ranks;
  const tiedBins = new Uint8Array(65536);
  for (const key of tied) tiedBins[key >>> 16] = 1;
  const concerned = visits.filter((l) => surveys[l]!.histogram.bins.some((bin) => tiedBins[bin] === 1));
  const visit = (each: (place: Place) => void): void => {
    for (const l of concerned) {
      scores.blocks(l, (keys, start, count) => {
        let magnitudes: Float64Array | null = null;
        for (let i = nextIn(keys, 0, count, tiedBins); i < count; i = nextIn(keys, i + 1, count, tiedBins)) {
          const key = keys[i]!;
          if (!tied.has(key)) continue;
          magnitudes ??= scores.magnitudes(l, start, count);
          each({ key, magnitude: magnitudes[i]!, hash: scores.hash(l, start + i), layer: l, index: start + i });
        }
      });
    }
  };
  const last = new Map<number, Place>();
  visit((place) => {
    if (place.key !== surveys[place.layer]!.maxKey) return;
    const known = last.get(place.layer);
    if (known === undefined || comparePlaces(place, known) > 0) last.set(place.layer, place);
  });
  // Count the ties of each key between consecutive strongest places, then sum up.
  const counters = new Map<number, { readonly places: Place[]; readonly counts: Float64Array }>();
  for (const key of tied) {
    const places = [...last.values()].filter((place) => place.key === key).sort(comparePlaces);
    counters.set(key, { places, counts: new Float64Array(places.length) });
  }
  visit((place) => {
    const { places, counts } = counters.get(place.key)!;
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePlaces(places[middle]!, place) < 0) low = middle + 1;
      else high = middle;
    }
    if (low < counts.length) counts[low]!++;
  });
  const rankOf = new Map<number, number>();
  for (const { places, counts } of counters.values()) {
    let sum = 0;
    places.forEach((place, i) => {
      sum += counts[i]!;
      rankOf.set(place.layer, sum);
    });
  }
  return pool.map((l) => rankOf.get(l) ?? 1);
}

/** Index of the next key in one of the bins, from `from` on; `count` when there is none. */
function nextIn(keys: Uint32Array, from: number, count: number, bins: Uint8Array): number {
  let i = from;
  while (i < count && bins[keys[i]! >>> 16] === 0) i++;
  return i;
}

/** First index whose value is not below `key`. */
function lowerBound(sorted: Uint32Array, key: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
