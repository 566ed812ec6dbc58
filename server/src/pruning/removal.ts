/**
 * One round's removal, where weights are scored and removed in rounds: those with the lowest scores of what is left,
 * ties by |w| and then by a seeded hash, as in every ranking (order.ts). Radix selection on the bits of the scores, 16
 * at a time: three passes over the weights, because there may be hundreds of rounds.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { layerSeed, mix32 } from "./hash.js";
import { comparePlaces, firstNonFiniteKey, type Place } from "./order.js";

/** A weight in a round. */
export interface RoundLayer {
  readonly id: string;
  readonly scores: Float32Array;
  /** The weights or their magnitudes, set to 0 where one is removed. */
  readonly elements: Float32Array;
  /** {@link alive}, or where in the ranking an element was removed. */
  readonly places: Float32Array;
}

/** What marks an element as not removed yet. */
export const alive = -1;

/** What scores of a round are. */
export interface RoundScores {
  /** Whether they can be negative; else their signs are ignored (a cubic Resize has negative weights). */
  readonly signed: boolean;
  /** Who made them, as messages call it. */
  readonly title: string;
  /** Decides between weights of equal score and magnitude. */
  readonly seed: number;
}

/** Distance from the ends of [0, 1) that no score but 0 comes nearer to: what float32 resolves at any round. */
const margin = 2 ** -10;

/** What is removed, from the keys (bits) of the scores. */
interface Threshold {
  /** Everything below goes. */
  readonly key: number;
  /** How many of those with this very key go, and of how many. */
  readonly ties: number;
  readonly tied: number;
  /** Least key above 0 and largest of all that are left. */
  readonly low: number;
  readonly high: number;
}

/**
 * Removes `count` weights: element 0, place `before` + what the score is on a logarithmic scale from 0 to 1.
 * @returns that scale.
 * @throws PruneScopeError `non-finite` when a score is NaN or infinite.
 */
export function removeWeakest(
  layers: readonly RoundLayer[],
  count: number,
  before: number,
  kind: RoundScores,
): (score: number) => number {
  const order = kind.signed ? signedOrder : unsignedOrder;
  const threshold = thresholdOf(layers, count, order, kind.title);
  const scale = kind.signed ? signedScale(threshold) : scaleOf(threshold);
  const ties: Place[] = [];
  layers.forEach((layer, l) => {
    const base = layerSeed(layer.id, kind.seed);
    const { elements } = layer;
    const tied = removeBelow(layer, threshold, before, scale, order);
    for (const index of tied)
      ties.push({
        key: threshold.key,
        magnitude: Math.abs(elements[index]!),
        hash: mix32(base, index),
        layer: l,
        index,
      });
  });
  ties.sort(comparePlaces);
  for (const { layer, index } of ties.slice(0, threshold.ties)) {
    const { scores, elements, places } = layers[layer]!;
    places[index] = before + scale(scores[index]!);
    elements[index] = 0;
  }
  return scale;
}

/** Gives what is left after the last round its place, `before` + what its score is on the last round's scale. */
export function settle({ scores, places }: RoundLayer, before: number, scale: (score: number) => number): void {
  for (let i = 0; i < scores.length; i++) if (places[i] === alive) places[i] = before + scale(scores[i]!);
}

/**
 * How the bits of a float become a key whose unsigned order is that of the scores, without a branch: the sign bit,
 * spread over the word, is masked by `flip` and joined with `top`; all is turned over where that has a 1, and cut to `mask`.
 */
interface KeyOrder {
  readonly flip: number;
  readonly top: number;
  readonly mask: number;
  /** Keys of finite floats lie in [first, end). */
  readonly first: number;
  readonly end: number;
}

/** Without the sign floats are ordered as their bits are. */
const unsignedOrder: KeyOrder = { flip: 0, top: 0, mask: 0x7fffffff, first: 0, end: firstNonFiniteKey };
/** Negative floats descend as their bits ascend. */
const signedOrder: KeyOrder = { flip: -1, top: 1 << 31, mask: -1, first: 0x00800000, end: 0xff800000 };

const keyOf = (bits: number, { flip, top, mask }: KeyOrder): number =>
  ((bits ^ (((bits >> 31) & flip) | top)) & mask) >>> 0;

const bitsOf = ({ buffer, byteOffset, length }: Float32Array): Int32Array => new Int32Array(buffer, byteOffset, length);

function thresholdOf(layers: readonly RoundLayer[], count: number, order: KeyOrder, title: string): Threshold {
  const upper = new Uint32Array(65536);
  let low = 0xffffffff;
  let high = 0;
  for (const { id, scores, places } of layers) {
    const bits = bitsOf(scores);
    let largest = order.first;
    let least = 0xffffffff;
    for (let i = 0; i < bits.length; i++) {
      if (places[i] !== alive) continue;
      const key = keyOf(bits[i]!, order);
      const bin = key >>> 16;
      upper[bin] = upper[bin]! + 1;
      if (key > largest) largest = key;
      if (key < least && key !== 0) least = key;
    }
    if (largest >= order.end || least < order.first) {
      throw new PruneScopeError(
        "non-finite",
        `${title}'s scores of layer "${id}" are not finite: the model has weights that are NaN, infinite or too large. Mend the model, or exclude the layer.`,
        { value: id },
      );
    }
    if (largest > high) high = largest;
    if (least < low) low = least;
  }
  if (count === 0) return { key: 0, ties: 0, tied: 0, low, high };
  const { bin, before } = binOf(upper, count);
  const lower = new Uint32Array(65536);
  for (const { scores, places } of layers) countLower(bitsOf(scores), places, bin, lower, order);
  const { bin: last, before: beforeTies } = binOf(lower, count - before);
  return { key: bin * 65536 + last, ties: count - before - beforeTies, tied: lower[last]!, low, high };
}

/** The bin that holds the `rank`-th element (1-based), and how many lie before it. */
function binOf(histogram: Uint32Array, rank: number): { readonly bin: number; readonly before: number } {
  let before = 0;
  let bin = 0;
  while (before + histogram[bin]! < rank) before += histogram[bin++]!;
  return { bin, before };
}

function countLower(bits: Int32Array, places: Float32Array, bin: number, lower: Uint32Array, order: KeyOrder): void {
  for (let i = 0; i < bits.length; i++) {
    const key = keyOf(bits[i]!, order);
    if (key >>> 16 !== bin || places[i] !== alive) continue;
    const low = key & 0xffff;
    lower[low] = lower[low]! + 1;
  }
}

/** Removes what is below the threshold, and all ties when all go; else returns where the ties are. */
function removeBelow(
  { scores, elements, places }: RoundLayer,
  { key: threshold, ties, tied }: Threshold,
  before: number,
  scale: (score: number) => number,
  order: KeyOrder,
): number[] {
  const found: number[] = [];
  if (ties === 0) return found;
  const bits = bitsOf(scores);
  for (let i = 0; i < bits.length; i++) {
    const key = keyOf(bits[i]!, order);
    if (key > threshold || places[i] !== alive) continue;
    if (key === threshold && ties < tied) {
      found.push(i);
      continue;
    }
    places[i] = before + scale(scores[i]!);
    elements[i] = 0;
  }
  return found;
}

/** Maps scores to [0, 1), larger ones higher: 0 to 0, the others by their logarithm. */
function scaleOf({ low, high }: Threshold): (score: number) => number {
  const ends = new Float32Array(Uint32Array.of(low, high).buffer);
  const from = Math.log2(ends[0]!);
  const step = high > low ? (1 - 2 * margin) / (Math.log2(ends[1]!) - from) : 0;
  return (score) => (score === 0 ? 0 : margin + (Math.log2(Math.abs(score)) - from) * step);
}

/** Maps scores with signs to [0, 1), larger ones higher, by their keys: logarithms on both sides of 0. */
function signedScale({ low, high }: Threshold): (score: number) => number {
  const float = new Float32Array(1);
  const bits = bitsOf(float);
  const step = high > low ? (1 - 2 * margin) / (high - low) : 0;
  return (score) => {
    float[0] = score;
    return margin + (keyOf(bits[0]!, signedOrder) - low) * step;
  };
}
