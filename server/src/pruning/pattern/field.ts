/**
 * The scores of a layer under an N:M pattern: of each group of m along the reduction axis the n highest stay, by (score,
 * |w|, seeded hash, position) as in every ranking, and the others are outside. Slabs are read and decided one chunk after
 * the other, however blocks cut them; only one chunk is held.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { blockElements, type NumberField } from "../../formats/stored-elements.js";
import type { OrderedLayer, OrderedScores } from "../order.js";
import type { GroupLayout } from "./layout.js";
import { slabElements } from "./layout.js";
import { addFacts, type BitFacts, halvedKeys, outsideBits, selectGroups } from "./select.js";

/** What a pattern keeps of a layer's scores, where they were read from front to back. */
export interface PatternSums {
  readonly all: number;
  readonly kept: number;
}

export class PatternField implements NumberField {
  readonly size: number;
  readonly #layer: OrderedLayer;
  readonly #field: NumberField;
  /** Whole slabs that are decided together. */
  readonly #chunkElements: number;
  readonly #values: Float32Array;
  readonly #bits: Int32Array;
  readonly #open: Int32Array;
  /** Once a score was negative: keys in whose order they are. */
  #signedKeys: Int32Array | null = null;
  #magnitudes: Float64Array | null = null;
  readonly #tie: TieGroup;
  /** The chunk that is held. */
  #chunk = -1;
  /** Chunks whose sums are in `sums`: the first ones. */
  #summed = 0;
  #sums: PatternSums = { all: 0, kept: 0 };

  /** @param scores as restrictions before this one have left them. */
  constructor(
    readonly scores: OrderedScores,
    readonly l: number,
    readonly layout: GroupLayout,
    readonly n: number,
  ) {
    this.#layer = scores.layers[l]!;
    this.#field = this.#layer.field!;
    this.size = layout.size;
    const slab = slabElements(layout);
    this.#chunkElements = Math.min(this.size, slab * Math.max(1, Math.floor(blockElements / slab)));
    this.#values = new Float32Array(this.#chunkElements);
    this.#bits = new Int32Array(this.#values.buffer);
    this.#open = new Int32Array(this.#chunkElements / layout.m);
    this.#tie = new TieGroup(layout.m);
  }

  read(start: number, count: number, out: Float32Array): void {
    for (let at = start; at < start + count;) {
      const { from, values } = this.#chunkAt(at);
      const part = values.subarray(at - from, Math.min(values.length, start + count - from));
      out.set(part, at - start);
      at += part.length;
    }
  }

  /** Sets to 0 the words, whose first is element `start`, of what the pattern removes. */
  clearWords(words: Int32Array, start: number): void {
    for (let at = start; at < start + words.length;) {
      const { from, values } = this.#chunkAt(at);
      const end = Math.min(from + values.length, start + words.length);
      clearOutside(words.subarray(at - start, end - start), this.#bits.subarray(at - from, end - from));
      at = end;
    }
  }

  /** Σ of the scores and of those that stay; null before all of them were read. */
  get sums(): PatternSums | null {
    return this.#summed * this.#chunkElements >= this.size ? this.#sums : null;
  }

  /** The chunk that holds element `at`: where it begins, and its scores. */
  #chunkAt(at: number): { readonly from: number; readonly values: Float32Array } {
    const chunk = Math.floor(at / this.#chunkElements);
    const from = chunk * this.#chunkElements;
    const count = Math.min(this.#chunkElements, this.size - from);
    if (chunk !== this.#chunk) {
      // A chunk that fails is not held.
      this.#chunk = -1;
      this.#decide(chunk, from, count);
      this.#chunk = chunk;
    }
    return { from, values: this.#values.subarray(0, count) };
  }

  #decide(chunk: number, from: number, count: number): void {
    this.#readChunk(from, count);
    const bits = this.#bits;
    const all = chunk === this.#summed ? sumOf(this.#values, bits, count) : 0;
    const { inner, m } = this.layout;
    const groups = { count, inner, n: this.n, m };
    const facts: BitFacts = { signs: 0, excess: 0 };
    let open = 0;
    if (this.#signedKeys === null) {
      open = selectGroups(bits, bits, groups, this.#open, facts);
      if (facts.signs < 0) {
        this.#signedKeys = new Int32Array(this.#chunkElements);
        this.#readChunk(from, count);
      }
    }
    if (this.#signedKeys !== null) {
      facts.excess = 0;
      addFacts(bits, count, facts);
      halvedKeys(bits, count, this.#signedKeys);
      open = selectGroups(bits, this.#signedKeys, groups, this.#open, { signs: 0, excess: 0 });
    }
    if (facts.excess < 0) this.#refuse();
    if (open > 0) this.#settle(open, from, count);
    if (chunk !== this.#summed) return;
    this.#summed++;
    const kept = sumOf(this.#values, bits, count);
    this.#sums = { all: this.#sums.all + all, kept: this.#sums.kept + kept };
  }

  #readChunk(from: number, count: number): void {
    for (let at = 0; at < count; at += blockElements) {
      const length = Math.min(blockElements, count - at);
      this.#field.read(from + at, length, this.#values.subarray(at, at + length));
    }
  }

  /** Decides groups in which equal scores, or nearly equal ones, meet at the edge. */
  #settle(open: number, from: number, count: number): void {
    const { scores, l, n } = this;
    const { inner, m } = this.layout;
    const tie = this.#tie;
    const magnitudes = scores.magnitudeDecided ? null : this.#magnitudesOf(from, count);
    for (let g = 0; g < open; g++) {
      const first = this.#open[g]!;
      for (let j = 0, at = first; j < m; j++, at += inner) {
        tie.scores[j] = this.#values[at]!;
        tie.magnitudes[j] = magnitudes === null ? 0 : magnitudes[at]!;
        tie.hashes[j] = scores.hash(l, from + at);
      }
      tie.sort();
      for (let j = 0; j < m - n; j++) this.#bits[first + tie.order[j]! * inner] = outsideBits;
    }
  }

  #magnitudesOf(from: number, count: number): Float64Array {
    const magnitudes = (this.#magnitudes ??= new Float64Array(this.#chunkElements));
    for (let at = 0; at < count; at += blockElements) {
      const length = Math.min(blockElements, count - at);
      this.#layer.elements.readExact(from + at, length, magnitudes.subarray(at, at + length));
    }
    for (let i = 0; i < count; i++) magnitudes[i] = Math.abs(magnitudes[i]!);
    return magnitudes;
  }

  #refuse(): never {
    const { id } = this.#layer;
    throw new PruneScopeError(
      "non-finite",
      `Layer "${id}" has weights whose score is NaN or infinite, so that the strongest of a group cannot be told. Exclude the layer, or mend the model.`,
      { value: id },
    );
  }
}

/** One group in which scores tie, and its order. */
class TieGroup {
  readonly scores: Float64Array;
  readonly magnitudes: Float64Array;
  readonly hashes: Float64Array;
  /** Positions in the group, first the one that goes first. */
  readonly order: Uint16Array;

  constructor(m: number) {
    this.scores = new Float64Array(m);
    this.magnitudes = new Float64Array(m);
    this.hashes = new Float64Array(m);
    this.order = new Uint16Array(m);
  }

  /** Puts the positions in order, by insertion. */
  sort(): void {
    const { order } = this;
    for (let j = 0; j < order.length; j++) {
      let place = j;
      for (; place > 0 && this.#isBefore(j, order[place - 1]!); place--) order[place] = order[place - 1]!;
      order[place] = j;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const { scores, magnitudes, hashes } = this;
    if (scores[a] !== scores[b]) return scores[a]! < scores[b]!;
    if (magnitudes[a] !== magnitudes[b]) return magnitudes[a]! < magnitudes[b]!;
    return hashes[a] === hashes[b] ? a < b : hashes[a]! < hashes[b]!;
  }
}

/** Σ in float64 of the scores that are not outside; without a branch, which half of a pattern would mislead. */
function sumOf(values: Float32Array, bits: Int32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const differs = bits[i]! ^ outsideBits;
    sum += values[i]! * ((differs | -differs) >>> 31);
  }
  return sum;
}

/** Sets words to 0 where the score is outside. */
function clearOutside(words: Int32Array, bits: Int32Array): void {
  for (let i = 0; i < words.length; i++) {
    const differs = bits[i]! ^ outsideBits;
    words[i] = words[i]! & ((differs | -differs) >> 31);
  }
}
