/**
 * N:M selection: of each group of m scores that lie `inner` apart, the n highest stay and the others become `outside`.
 * Groups are decided by the scores' bits as integers, without a branch for 2:4; those in which equal scores meet at the
 * edge are left as they are and named, for the caller to tell them apart (Mishra et al. 2021, arXiv 2104.08378).
 */

/** Bits of the score of what is removed (restrict.ts), as a signed word. */
export const outsideBits = 0xff7fffff | 0;

/** Bits of the largest finite float32. */
const largest = 0x7f7fffff;

/** What the bits of scores have among them. */
export interface BitFacts {
  /** Below 0 where some score is negative: then they are no keys. */
  signs: number;
  /** Below 0 where some score is infinite or NaN. */
  excess: number;
}

/** Adds what the first `count` scores have among them. */
export function addFacts(bits: Int32Array, count: number, facts: BitFacts): void {
  let { signs, excess } = facts;
  for (let i = 0; i < count; i++) {
    const word = bits[i]!;
    signs |= word;
    excess |= largest - (word & 0x7fffffff);
  }
  facts.signs = signs;
  facts.excess = excess;
}

/**
 * Keys of scores with signs: ordered as the scores are, but for the last bit, so that the difference of two of them is a
 * 32-bit integer. Scores that share a key need a second look, equal or not. −0 is 0.
 */
export function halvedKeys(bits: Int32Array, count: number, keys: Int32Array): void {
  for (let i = 0; i < count; i++) {
    const word = bits[i]!;
    // Negative floats descend as their bits ascend.
    keys[i] = word === -0x80000000 ? 0 : (word ^ ((word >> 31) & 0x7fffffff)) >> 1;
  }
}

/** Where groups lie in a block: slabs of m·inner elements, whole ones. */
export interface Groups {
  readonly count: number;
  readonly inner: number;
  readonly n: number;
  readonly m: number;
}

/**
 * Overwrites the scores that go with {@link outsideBits}, in all groups but those that equal keys leave open.
 * @param keys integers in the order of the scores, whose differences fit 32 bits: the bits themselves where no score is
 * negative.
 * @param open gets the index of the first element of each group that is left open.
 * @param facts gets what the keys have among them, found on the way: where some are negative and the keys were the
 * scores' own bits, what was decided is of no use.
 * @returns how many groups are left open.
 */
export function selectGroups(
  bits: Int32Array,
  keys: Int32Array,
  groups: Groups,
  open: Int32Array,
  facts: BitFacts,
): number {
  const { count, inner, n, m } = groups;
  if (n === 2 && m === 4)
    return inner === 1
      ? twoOfFour(bits, keys, count, open, facts)
      : twoOfFourApart(bits, keys, count, inner, open, facts);
  addFacts(keys, count, facts);
  return anyOfAny(bits, keys, groups, open);
}

/**
 * 2:4 of neighbours. With lo ≤ hi of each pair, the second and third highest of four are the smaller of both hi and the
 * larger of both lo; what is above the third stays. Loops are written out twice: a call for each group costs more than
 * its work, and the loop below goes through neighbours at two thirds to four fifths of this one's rate.
 */
function twoOfFour(bits: Int32Array, keys: Int32Array, count: number, open: Int32Array, facts: BitFacts): number {
  let found = 0;
  let { signs, excess } = facts;
  for (let i = 0; i < count; i += 4) {
    const a = keys[i]!;
    const b = keys[i + 1]!;
    const c = keys[i + 2]!;
    const d = keys[i + 3]!;
    const ab = (a - b) | 0;
    const s = ab & (ab >> 31);
    const cd = (c - d) | 0;
    const t = cd & (cd >> 31);
    const highs = (a - s - (c - t)) | 0;
    const lead = highs & (highs >> 31);
    const p = (c - t + lead) | 0;
    signs |= a | b | c | d;
    excess |= largest - ((a - s - lead) | 0);
    const lows = (b + s - (d + t)) | 0;
    const q = (b + s - (lows & (lows >> 31))) | 0;
    const edge = (p - q) | 0;
    if (edge === 0) {
      open[found++] = i;
      continue;
    }
    const third = (q + (edge & (edge >> 31))) | 0;
    const keepA = (third - a) >> 31;
    const keepB = (third - b) >> 31;
    const keepC = (third - c) >> 31;
    const keepD = (third - d) >> 31;
    bits[i] = (bits[i]! & keepA) | (outsideBits & ~keepA);
    bits[i + 1] = (bits[i + 1]! & keepB) | (outsideBits & ~keepB);
    bits[i + 2] = (bits[i + 2]! & keepC) | (outsideBits & ~keepC);
    bits[i + 3] = (bits[i + 3]! & keepD) | (outsideBits & ~keepD);
  }
  facts.signs = signs;
  facts.excess = excess;
  return found;
}

/** The same of elements that lie apart. */
function twoOfFourApart(
  bits: Int32Array,
  keys: Int32Array,
  count: number,
  inner: number,
  open: Int32Array,
  facts: BitFacts,
): number {
  let found = 0;
  let { signs, excess } = facts;
  for (let slab = 0; slab < count; slab += 4 * inner) {
    const end = slab + inner;
    for (let i = slab; i < end; i++) {
      const j = i + inner;
      const k = j + inner;
      const l = k + inner;
      const a = keys[i]!;
      const b = keys[j]!;
      const c = keys[k]!;
      const d = keys[l]!;
      const ab = (a - b) | 0;
      const s = ab & (ab >> 31);
      const cd = (c - d) | 0;
      const t = cd & (cd >> 31);
      const highs = (a - s - (c - t)) | 0;
      const lead = highs & (highs >> 31);
      const p = (c - t + lead) | 0;
      signs |= a | b | c | d;
      excess |= largest - ((a - s - lead) | 0);
      const lows = (b + s - (d + t)) | 0;
      const q = (b + s - (lows & (lows >> 31))) | 0;
      const edge = (p - q) | 0;
      if (edge === 0) {
        open[found++] = i;
        continue;
      }
      const third = (q + (edge & (edge >> 31))) | 0;
      const keepA = (third - a) >> 31;
      const keepB = (third - b) >> 31;
      const keepC = (third - c) >> 31;
      const keepD = (third - d) >> 31;
      bits[i] = (bits[i]! & keepA) | (outsideBits & ~keepA);
      bits[j] = (bits[j]! & keepB) | (outsideBits & ~keepB);
      bits[k] = (bits[k]! & keepC) | (outsideBits & ~keepC);
      bits[l] = (bits[l]! & keepD) | (outsideBits & ~keepD);
    }
  }
  facts.signs = signs;
  facts.excess = excess;
  return found;
}

/** Groups up to this size are sorted by insertion. */
const smallGroup = 32;

/** Any n of any m: sorts the keys of each group. */
function anyOfAny(bits: Int32Array, keys: Int32Array, { count, inner, n, m }: Groups, open: Int32Array): number {
  const sorted = new Int32Array(m);
  let found = 0;
  for (let slab = 0; slab < count; slab += m * inner) {
    for (let i = slab; i < slab + inner; i++) {
      if (m <= smallGroup) insertSorted(keys, i, inner, sorted);
      else {
        for (let j = 0, at = i; j < m; j++, at += inner) sorted[j] = keys[at]!;
        sorted.sort();
      }
      const highest = sorted[m - n - 1]!;
      if (sorted[m - n] === highest) {
        open[found++] = i;
        continue;
      }
      for (let j = 0, at = i; j < m; j++, at += inner) if (keys[at]! <= highest) bits[at] = outsideBits;
    }
  }
  return found;
}

/** The keys of one group, ascending. */
function insertSorted(keys: Int32Array, first: number, inner: number, sorted: Int32Array): void {
  for (let j = 0, at = first; j < sorted.length; j++, at += inner) {
    const key = keys[at]!;
    let place = j;
    for (; place > 0 && sorted[place - 1]! > key; place--) sorted[place] = sorted[place - 1]!;
    sorted[place] = key;
  }
}
