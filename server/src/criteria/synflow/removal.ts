/**
 * One round's removal: the weights with the smallest shares of those that are left, ties by |w| and then by a seeded
 * hash, as in every ranking (pruning/order.ts). Radix selection on the bits of the shares, 16 at a time: three passes
 * over the weights, because there are a hundred rounds.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { layerSeed, mix32 } from "../../pruning/hash.js";
import { comparePlaces, firstNonFiniteKey, type Place } from "../../pruning/order.js";

/** A weight in a round. */
export interface RoundLayer {
  readonly id: string;
  readonly shares: Float32Array;
  /** |w|, 0 where it is removed. */
  readonly magnitudes: Float32Array;
  /** {@link alive}, or where in the ranking an element was removed. */
  readonly places: Float32Array;
}

/** What marks an element as not removed yet. */
export const alive = -1;

/** Distance from the ends of [0, 1) that no share but 0 comes nearer to: what float32 resolves at any round. */
const margin = 2 ** -10;

/** What is removed, from the keys (bits) of the shares. */
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
 * Removes `count` weights: magnitude 0, place `before` + what the share is on a logarithmic scale from 0 to 1.
 * @returns that scale.
 * @throws PruneScopeError `non-finite` when a share is NaN or infinite.
 */
export function removeWeakest(
  layers: readonly RoundLayer[],
  count: number,
  before: number,
  seed: number,
): (share: number) => number {
  const threshold = thresholdOf(layers, count);
  const scale = scaleOf(threshold);
  const ties: Place[] = [];
  layers.forEach((layer, l) => {
    const base = layerSeed(layer.id, seed);
    const { magnitudes } = layer;
    const tied = removeBelow(layer, threshold, before, scale);
    for (const index of tied)
      ties.push({ key: threshold.key, magnitude: magnitudes[index]!, hash: mix32(base, index), layer: l, index });
  });
  ties.sort(comparePlaces);
  for (const { layer, index } of ties.slice(0, threshold.ties)) {
    const { shares, magnitudes, places } = layers[layer]!;
    places[index] = before + scale(shares[index]!);
    magnitudes[index] = 0;
  }
  return scale;
}

/** Bits of floats. Without the sign (a cubic Resize has negative weights) they are ordered as magnitudes are. */
const keysOf = ({ buffer, byteOffset, length }: Float32Array): Uint32Array =>
  new Uint32Array(buffer, byteOffset, length);

function thresholdOf(layers: readonly RoundLayer[], count: number): Threshold {
  const upper = new Uint32Array(65536);
  let low = 0xffffffff;
  let high = 0;
  for (const { id, shares, places } of layers) {
    const keys = keysOf(shares);
    let largest = 0;
    for (let i = 0; i < keys.length; i++) {
      if (places[i] !== alive) continue;
      const key = keys[i]! & 0x7fffffff;
      const bin = key >>> 16;
      upper[bin] = upper[bin]! + 1;
      if (key > largest) largest = key;
      if (key !== 0 && key < low) low = key;
    }
    if (largest >= firstNonFiniteKey) {
      throw new PruneScopeError(
        "non-finite",
        `SynFlow's scores of layer "${id}" are not finite: the model has weights that are NaN, infinite or too large. Mend the model, or exclude the layer.`,
        { value: id },
      );
    }
    if (largest > high) high = largest;
  }
  if (count === 0) return { key: 0, ties: 0, tied: 0, low, high };
  const { bin, before } = binOf(upper, count);
  const lower = new Uint32Array(65536);
  for (const { shares, places } of layers) countLower(keysOf(shares), places, bin, lower);
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

function countLower(keys: Uint32Array, places: Float32Array, bin: number, lower: Uint32Array): void {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]! & 0x7fffffff;
    if (key >>> 16 !== bin || places[i] !== alive) continue;
    const low = key & 0xffff;
    lower[low] = lower[low]! + 1;
  }
}

/** Removes what is below the threshold, and all ties when all go; else returns where the ties are. */
function removeBelow(
  { shares, magnitudes, places }: RoundLayer,
  { key: threshold, ties, tied }: Threshold,
  before: number,
  scale: (share: number) => number,
): number[] {
  const found: number[] = [];
  if (ties === 0) return found;
  const keys = keysOf(shares);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]! & 0x7fffffff;
    if (key > threshold || places[i] !== alive) continue;
    if (key === threshold && ties < tied) {
      found.push(i);
      continue;
    }
    places[i] = before + scale(shares[i]!);
    magnitudes[i] = 0;
  }
  return found;
}

/** Maps shares to [0, 1), larger ones higher: 0 to 0, the others by their logarithm. */
function scaleOf({ low, high }: Threshold): (share: number) => number {
  const ends = new Float32Array(Uint32Array.of(low, high).buffer);
  const from = Math.log2(ends[0]!);
  const step = high > low ? (1 - 2 * margin) / (Math.log2(ends[1]!) - from) : 0;
  return (share) => (share === 0 ? 0 : margin + (Math.log2(Math.abs(share)) - from) * step);
}
