/** A mask as one flag per weight: kept, and not 0 in the file. What says whether a weight can be part of a path. */
import { blockElements } from "../formats/stored-elements.js";
import { fillKeep, type Mask } from "./mask.js";
import type { OrderedScores } from "./order.js";

export class KeepFlags {
  /** One array a layer, written anew for each mask. */
  readonly #flags: readonly Uint8Array[];

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

  /** Weights that `mask` keeps and that are 0 in the file. */
  zerosIn(mask: Mask): number {
    const kept = mask.layers.reduce((sum, layer, l) => sum + (this.nonZero[l] === null ? 0 : layer.kept), 0);
    const flags = this.of(mask).filter((_, l) => this.nonZero[l] !== null);
    return kept - flags.reduce((sum, one) => sum + ones(one), 0);
  }

  /** Flags of a mask that keeps nothing. */
  none(): readonly Uint8Array[] {
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
