/**
 * The order in which weights go: by score, then by |w|, then by a seeded hash of layer and index, then by position. The
 * score is compared as a 32-bit key whose unsigned order is the order of the floats, so that passes over millions of
 * scores are integer work.
 */
import { blockElements, type NumberField, type StoredElements } from "../formats/stored-elements.js";
import { layerSeed, mix32 } from "./hash.js";
import type { QuotaLayer } from "./quotas.js";

/** Keys from this one on belong to +∞ and NaN of unsigned scores. */
export const firstNonFiniteKey = 0x7f800000;

/** Key, among signed scores, of the least finite float32: the score of what a restriction removes (restrict.ts). */
export const outsideKey = 0x00800000;

/** A place in the order. */
export interface Place {
  readonly key: number;
  readonly magnitude: number;
  readonly hash: number;
  readonly layer: number;
  readonly index: number;
}

/** Compares two places: negative when `a` goes before `b`. */
export function comparePlaces(a: Place, b: Place): number {
  return a.key - b.key || a.magnitude - b.magnitude || a.hash - b.hash || a.layer - b.layer || a.index - b.index;
}

/** One layer as the order sees it. */
export interface OrderedLayer {
  readonly id: string;
  readonly size: number;
  /** The scores; null where the criterion has none for the layer, which is left dense then. */
  readonly field: NumberField | null;
  readonly elements: StoredElements;
  /** What quotas look at; absent for a plain list of weights. */
  readonly form?: Omit<QuotaLayer, "size">;
}

/** Scores of a model in their order. Buffers are shared: what a call returns is valid until the next. */
export class OrderedScores {
  readonly #scores = new Float32Array(blockElements);
  readonly #bits = new Uint32Array(this.#scores.buffer);
  readonly #exact = new Float64Array(blockElements);
  readonly #seeds: readonly number[];

  constructor(
    readonly layers: readonly OrderedLayer[],
    readonly signed: boolean,
    /** Ties in score are ties in magnitude: |w| need not be read to break them. */
    readonly magnitudeDecided: boolean,
    readonly seed: number,
  ) {
    this.#seeds = layers.map((layer) => layerSeed(layer.id, seed));
  }

  /** Calls `visit` for each block of layer `l` with the scores as floats and as keys (of `count` valid elements). */
  blocks(l: number, visit: (keys: Uint32Array, start: number, count: number, scores: Float32Array) => void): void {
    const { size } = this.layers[l]!;
    for (let start = 0; start < size; start += blockElements) {
      const count = Math.min(blockElements, size - start);
      visit(this.block(l, start, count), start, count, this.#scores);
    }
  }

  /** Keys of the elements [start, start + count) of layer `l`. */
  block(l: number, start: number, count: number): Uint32Array {
    const { field } = this.layers[l]!;
    if (field === null) this.#scores.fill(0, 0, count);
    else field.read(start, count, this.#scores);
    return this.signed ? this.#signedKeys(count) : this.#bits;
  }

  /** The float whose key this is. */
  scoreOf(key: number): number {
    const word = new Uint32Array(1);
    word[0] = this.signed ? (key >>> 31 === 1 ? key ^ 0x80000000 : ~key) : key;
    return new Float32Array(word.buffer)[0]!;
  }

  /** |w| of elements [start, start + count) of layer `l`; zeros where the score already is |w|. */
  magnitudes(l: number, start: number, count: number): Float64Array {
    if (this.magnitudeDecided) return this.#exact.fill(0, 0, count);
    this.layers[l]!.elements.readExact(start, count, this.#exact);
    for (let i = 0; i < count; i++) this.#exact[i] = Math.abs(this.#exact[i]!);
    return this.#exact;
  }

  /** The hash of element `index` of layer `l`. */
  hash(l: number, index: number): number {
    return mix32(this.#seeds[l]!, index);
  }

  readonly #keys = new Uint32Array(blockElements);

  #signedKeys(count: number): Uint32Array {
    const bits = this.#bits;
    const keys = this.#keys;
    for (let i = 0; i < count; i++) {
      const word = bits[i]!;
      // Negative floats descend as their bits ascend; −0 is 0.
      keys[i] = word === 0x80000000 ? 0x80000000 : word ^ ((word >> 31) | 0x80000000);
    }
    return keys;
  }
}
