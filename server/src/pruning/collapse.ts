/**
 * Layer collapse under a recipe, exactly: at which sparsity each layer loses its last weight, under a global scope with
 * and without floors, layer by layer, and under quotas. The one place for that fact.
 */
import type { Recipe } from "../../protocol/recipe.js";
import { floorCounts, quotaLayer } from "./mask.js";
import { comparePlaces, type OrderedScores, type Place } from "./order.js";
import { quotaLastCounts } from "./quotas.js";
import { layerCriticalSparsity } from "./risk.js";
import { hasNoSignal, type LayerSurvey } from "./survey.js";

/** Scores that were ranked. */
export interface Ranking {
  readonly scores: OrderedScores;
  readonly surveys: readonly LayerSurvey[];
  /** Layers that are left dense. */
  readonly excluded: readonly boolean[];
  /** Rank of each layer's strongest weight among all that are not excluded; null where nothing can be ranked. */
  readonly lastRanks: readonly (number | null)[];
  /** N: weights in layers that are not excluded. */
  readonly total: number;
}

export interface CriticalSparsity {
  /**
   * Sparsity at which the last weight of each layer goes; null for layers that are excluded, have no signal, cannot be
   * ranked, or have a floor: they never go.
   */
  readonly layers: readonly (number | null)[];
  /** s_cr: of the first layer to go; null when none does. */
  readonly first: number | null;
  /** The largest sparsity at which every layer still has a weight; null when none goes. */
  readonly safe: number | null;
}

/** Where layers collapse under a recipe's scope, quota and floors. */
export function criticalOf(ranking: Ranking, recipe: Pick<Recipe, "scope" | "quota" | "floors">): CriticalSparsity {
  const { surveys, lastRanks, total } = ranking;
  const mortal = lastRanks.flatMap((rank, l) => (rank === null || hasNoSignal(surveys[l]!) ? [] : [l]));
  const floors = floorCounts(ranking.scores, surveys, recipe);
  const going = mortal.filter((l) => floors[l] === 0);
  if (recipe.quota === undefined && recipe.scope === "layer") {
    const sparsities = going.map((l) => layerCriticalSparsity(surveys[l]!.size));
    return { layers: placed(surveys.length, going, sparsities), first: least(sparsities), safe: least(sparsities) };
  }
  const gone = removedWhenGone(ranking, recipe, floors, going);
  const first = least(gone);
  return {
    layers: placed(
      surveys.length,
      going,
      gone.map((removed) => removed / total),
    ),
    first: first === null ? null : first / total,
    safe: first === null ? null : (first - 1) / total,
  };
}

/** How many weights are removed in all when each of the layers `going` loses its last. */
function removedWhenGone(
  { scores, surveys, excluded, lastRanks, total }: Ranking,
  { quota }: Pick<Recipe, "quota">,
  floors: readonly number[],
  going: readonly number[],
): number[] {
  const pool = surveys.flatMap((_, l) => (excluded[l] === true ? [] : [l]));
  if (quota !== undefined) {
    const layers = pool.map((l) => quotaLayer(scores.layers[l]!));
    const counts = quotaLastCounts(
      layers,
      quota,
      pool.map((l) => floors[l]!),
    );
    return going.map((l) => total - counts[pool.indexOf(l)]!);
  }
  const ranks = going.map((l) => lastRanks[l]!);
  const floored = pool.filter((l) => floors[l]! > 0);
  if (floored.length === 0) return ranks;
  // Floors keep weights that lie before a layer's strongest in the order, in the place of others behind it.
  const tops = going.map((l) => strongest(scores, surveys, l));
  const early = going.map(() => 0);
  for (const f of floored) {
    const above = countAbove(scores, surveys, f, tops);
    above.forEach((count, i) => (early[i]! += Math.max(0, floors[f]! - count)));
  }
  return ranks.map((rank, i) => rank - early[i]!);
}

/** The place of a layer's strongest weight. */
function strongest(scores: OrderedScores, surveys: readonly LayerSurvey[], l: number): Place {
  const { maxKey } = surveys[l]!;
  const found: Place[] = [];
  scores.blocks(l, (keys, start, count) => {
    let magnitudes: Float64Array | null = null;
    for (let i = keys.indexOf(maxKey); i >= 0 && i < count; i = keys.indexOf(maxKey, i + 1)) {
      magnitudes ??= scores.magnitudes(l, start, count);
      const place = {
        key: maxKey,
        magnitude: magnitudes[i]!,
        hash: scores.hash(l, start + i),
        layer: l,
        index: start + i,
      };
      if (found[0] === undefined || comparePlaces(place, found[0]) > 0) found[0] = place;
    }
  });
  return found[0]!;
}

/** How many weights of layer `l` lie behind each of the places in the order. */
function countAbove(
  scores: OrderedScores,
  surveys: readonly LayerSurvey[],
  l: number,
  places: readonly Place[],
): number[] {
  const order = places.map((_, i) => i).sort((a, b) => comparePlaces(places[a]!, places[b]!));
  const sorted = order.map((i) => places[i]!);
  // between[j]: weights behind exactly the first j of the sorted places.
  const between = new Float64Array(sorted.length + 1);
  scores.blocks(l, (keys, start, count) => {
    let magnitudes: Float64Array | null = null;
    for (let i = 0; i < count; i++) {
      const key = keys[i]!;
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        const other = sorted[middle]!;
        let before = other.key < key;
        if (other.key === key) {
          magnitudes ??= scores.magnitudes(l, start, count);
          const place = { key, magnitude: magnitudes[i]!, hash: scores.hash(l, start + i), layer: l, index: start + i };
          before = comparePlaces(other, place) < 0;
        }
        if (before) low = middle + 1;
        else high = middle;
      }
      between[low]!++;
    }
  });
  const above = new Array<number>(places.length).fill(0);
  let behind = surveys[l]!.size;
  sorted.forEach((_, j) => {
    behind -= between[j]!;
    above[order[j]!] = behind;
  });
  return above;
}

/** The values at the indices `at` of a list of `length`, null elsewhere. */
function placed(length: number, at: readonly number[], values: readonly number[]): (number | null)[] {
  const list = new Array<number | null>(length).fill(null);
  at.forEach((l, i) => (list[l] = values[i]!));
  return list;
}

const least = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b));
