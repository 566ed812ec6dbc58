/** Scores and weights that exist only in memory, for the laws of ranking and masking. */
import type { StoredElements } from "../../server/src/formats/stored-elements.js";
export { uniform } from "../../server/src/runtime/inputs.js";
import { type OrderedLayer, OrderedScores, type Place, comparePlaces } from "../../server/src/pruning/order.js";

/** A layer whose scores and weights are given; weights default to the scores. */
export function arrayLayer(id: string, scores: Float32Array, weights: ArrayLike<number> = scores): OrderedLayer {
  const elements: StoredElements = {
    zero: 0,
    size: scores.length,
    read: (start, count, out) => {
      for (let i = 0; i < count; i++) out[i] = weights[start + i]!;
    },
    readExact: (start, count, out) => {
      for (let i = 0; i < count; i++) out[i] = weights[start + i]!;
    },
    bytes: () => {
      throw new Error("not stored");
    },
    clear: () => undefined,
    write: () => undefined,
    countZeros: () => 0,
  };
  return {
    id,
    size: scores.length,
    elements,
    field: { size: scores.length, read: (start, count, out) => out.set(scores.subarray(start, start + count)) },
  };
}

/** Every weight of every layer in the order of removal, by sorting: what selection must agree with. */
export function sortedPlaces(ordered: OrderedScores, pool: readonly number[]): Place[] {
  const places: Place[] = [];
  for (const l of pool) {
    ordered.blocks(l, (keys, start, count) => {
      const magnitudes = [...ordered.magnitudes(l, start, count).subarray(0, count)];
      for (let i = 0; i < count; i++) {
        places.push({
          key: keys[i]!,
          magnitude: magnitudes[i]!,
          hash: ordered.hash(l, start + i),
          layer: l,
          index: start + i,
        });
      }
    });
  }
  return places.sort(comparePlaces);
}
