/**
 * Masks as one flag per weight: kept, and not 0 in the file. What says whether a weight can be part of a path. Between
 * two masks of a ladder that lie near each other the weights that differ are sorted once; then every mask between them
 * is a few flags away.
 */
import { blockElements } from "../formats/stored-elements.js";
import type { Bracket, Ladder } from "./ladder.js";
import { fillKeep, type Mask } from "./mask.js";
import { comparePlaces, type OrderedScores, type Place } from "./order.js";

/** Most weights that are sorted at once. */
const mostSorted = 1 << 17;

/** Masks from rung `low` to rung `low + places.length`, of which the flags now show `rung`. */
interface Window {
  readonly ladder: Ladder;
  readonly low: number;
  readonly places: readonly Place[];
  rung: number;
}

export class KeepFlags {
  /** One array a layer, written anew for each mask. */
  readonly #flags: readonly Uint8Array[];
  #window: Window | null = null;

  private constructor(
    readonly scores: OrderedScores,
    /** Flags of the weights that are not 0; null for a layer without zeros. */
    readonly nonZero: readonly (Uint8Array | null)[],
  ) {
    this.#flags = scores.layers.map(({ size }) => new Uint8Array(size));
  }

  /** Reads all weights once; `between` is called after each layer with the number of elements done. */
  static async read(scores: OrderedScores, between: (done: number) => Promise<void>): Promise<KeepFlags> {
    const block = new Float32Array(blockElements);
    const nonZero: (Uint8Array | null)[] = [];
    let done = 0;
    for (const { elements, size } of scores.layers) {
      let flags: Uint8Array | null = null;
      for (let start = 0; start < size; start += blockElements) {
        const count = Math.min(blockElements, size - start);
        elements.read(start, count, block);
        for (let i = 0; i < count; i++) {
          if (block[i] !== 0) continue;
          flags ??= new Uint8Array(size).fill(1);
          flags[start + i] = 0;
        }
      }
      nonZero.push(flags);
      await between((done += size));
    }
    return new KeepFlags(scores, nonZero);
  }

  /** Flags of what `mask` keeps, one array a layer: valid until the next call. */
  of(mask: Mask): readonly Uint8Array[] {
    this.#window = null;
    this.#flags.forEach((flags, l) => {
      const { cut } = mask.layers[l]!;
      const nonZero = this.nonZero[l] ?? null;
      if (cut === null) {
        if (nonZero === null) flags.fill(1);
        else flags.set(nonZero);
        return;
      }
      this.scores.blocks(l, (keys, start, count) => {
        fillKeep(this.scores, l, cut, keys, start, count, flags.subarray(start, start + count));
      });
      if (nonZero !== null) clear(flags, nonZero);
    });
    return this.#flags;
  }

  /** Flags of one rung of a ladder, as {@link of}; quick for rungs between two that lie near each other. */
  at(ladder: Ladder, rung: number, within: Bracket | null): readonly Uint8Array[] {
    const known = this.#window;
    const inside = known?.ladder === ladder && rung >= known.low && rung <= known.low + known.places.length;
    if (!inside) {
      if (within === null || !ladder.single || within.dead - within.alive > mostSorted)
        return this.of(ladder.mask(rung));
      this.#open(ladder, within);
    }
    const window = this.#window!;
    for (; window.rung < rung; window.rung++) this.#set(window.places[window.rung - window.low]!, 0);
    for (; window.rung > rung; window.rung--) this.#set(window.places[window.rung - 1 - window.low]!, 1);
    return this.#flags;
  }

  /** Sorts what goes between two rungs, and shows the lower one. */
  #open(ladder: Ladder, { alive: low, dead: high }: Bracket): void {
    const [from, to] = [ladder.mask(low), ladder.mask(high)];
    this.of(from);
    const places: Place[] = [];
    this.scores.layers.forEach((_, layer) => {
      const last = to.layers[layer]!.cut;
      // Without a cut nothing of the layer goes.
      if (last === null) return;
      const first = from.layers[layer]!.cut;
      this.scores.blocks(layer, (keys, start, count) => {
        let magnitudes: Float64Array | null = null;
        for (let i = 0; i < count; i++) {
          const key = keys[i]!;
          if (key > last.key || (first !== null && key < first.key)) continue;
          magnitudes ??= this.scores.magnitudes(layer, start, count);
          const index = start + i;
          const place = { key, magnitude: magnitudes[i]!, hash: this.scores.hash(layer, index), layer, index };
          if (comparePlaces(place, last) <= 0 && (first === null || comparePlaces(place, first) > 0))
            places.push(place);
        }
      });
    });
    places.sort(comparePlaces);
    this.#window = { ladder, low, places, rung: low };
  }

  #set({ layer, index }: Place, flag: number): void {
    this.#flags[layer]![index] = flag & (this.nonZero[layer]?.[index] ?? 1);
  }

  /** Weights that `mask` keeps and that are 0 in the file. */
  zerosIn(mask: Mask): number {
    const kept = mask.layers.reduce((sum, layer, l) => sum + (this.nonZero[l] === null ? 0 : layer.kept), 0);
    const flags = this.of(mask).filter((_, l) => this.nonZero[l] !== null);
    return kept - flags.reduce((sum, one) => sum + ones(one), 0);
  }

  /** Flags of a mask that keeps nothing. */
  none(): readonly Uint8Array[] {
    this.#window = null;
    for (const flags of this.#flags) flags.fill(0);
    return this.#flags;
  }
}

function clear(flags: Uint8Array, nonZero: Uint8Array): void {
  for (let i = 0; i < flags.length; i++) flags[i] = flags[i]! & nonZero[i]!;
}

function ones(flags: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < flags.length; i++) count += flags[i]!;
  return count;
}
