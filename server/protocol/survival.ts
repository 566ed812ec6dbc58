/**
 * Survival tables: how many weights of each layer survive as the sparsity rises. The engine ships one table per
 * result; between its points the view interpolates and marks the numbers as approximate.
 */
import { decodeArray, type EncodedArray } from "./codec.js";
import { keptCount, type Scope } from "./recipe.js";

/** Most points of one table. */
export const maxSurvivalPoints = 2048;

/** As it travels. `removed` ascends to the total, from 0 or from what a pattern or a mask removes; `kept` holds `layers` counts for each point, in point order. */
export interface EncodedSurvival {
  readonly layers: number;
  readonly removed: EncodedArray<"f64">;
  readonly kept: EncodedArray<"u32">;
}

/** As it is used. The counts at each point are exact. */
export interface Survival {
  /** Number of layers, those included that are excluded from pruning (their counts never fall). */
  readonly layers: number;
  /** Weights removed from the model at each point; ascending. */
  readonly removed: Float64Array;
  /** `kept[p * layers + l]`: weights of layer l that are left at point p. */
  readonly kept: Uint32Array;
}

/** Decodes and checks a table. @throws RangeError when its arrays do not fit each other. */
export function decodeSurvival(encoded: EncodedSurvival): Survival {
  const removed = decodeArray(encoded.removed);
  const kept = decodeArray(encoded.kept);
  if (removed.length < 2 || kept.length !== removed.length * encoded.layers) {
    throw new RangeError("survival table: the arrays do not fit each other");
  }
  return { layers: encoded.layers, removed, kept };
}

/**
 * Kept weights per layer at `sparsity`, linear between the table's points: exact where the number of removed weights
 * meets a point, else off by less than the step of that layer there. No layer keeps more than at the first point, where
 * what a pattern or a mask removes is gone.
 * @param sizes weights per layer; @param excluded which layers are left dense.
 */
export function interpolateKept(
  table: Survival,
  sizes: readonly number[],
  excluded: readonly boolean[],
  sparsity: number,
  scope: Scope,
  out: Float64Array,
): Float64Array {
  if (scope === "layer") {
    for (let l = 0; l < sizes.length; l++)
      out[l] = excluded[l] === true ? sizes[l]! : Math.min(table.kept[l]!, keptCount(sizes[l]!, sparsity));
    return out;
  }
  const { layers, removed, kept } = table;
  const total = removed[removed.length - 1]!;
  const target = Math.max(removed[0]!, total - keptCount(total, sparsity));
  let low = 0;
  let high = removed.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (removed[middle]! <= target) low = middle;
    else high = middle;
  }
  const width = removed[high]! - removed[low]!;
  const t = width === 0 ? 0 : (target - removed[low]!) / width;
  for (let l = 0; l < layers; l++) {
    const a = kept[low * layers + l]!;
    out[l] = a + t * (kept[high * layers + l]! - a);
  }
  return out;
}
