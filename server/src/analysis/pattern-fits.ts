/** How each layer of a model stands to a recipe's pattern: what the layer can hold, and what the recipe says about it. */
import type { NofM, Recipe } from "../../protocol/recipe.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { floorCount } from "../pruning/mask.js";
import type { OrderedLayer, OrderedScores } from "../pruning/order.js";
import { type PatternFit, patternFit } from "../pruning/pattern/eligibility.js";

/**
 * A layout for each layer that gets the recipe's pattern, a reason for each that does not; null without a pattern.
 * @param excluded layers that are left dense.
 */
export function patternFits(
  weights: readonly PrunableWeight[],
  scores: OrderedScores,
  excluded: readonly boolean[],
  recipe: Recipe,
): readonly PatternFit[] | null {
  const { pattern } = recipe;
  if (pattern === undefined) return null;
  return weights.map((weight, l) => fitOf(weight, scores.layers[l]!, excluded[l] === true, recipe, pattern));
}

/** What the recipe itself says about a layer comes before all else. */
function fitOf(
  weight: PrunableWeight,
  layer: OrderedLayer,
  excluded: boolean,
  { exclude, floors }: Recipe,
  pattern: NofM,
): PatternFit {
  const { n, m } = pattern;
  const none = (reason: string): PatternFit => ({ use: "none", reason, layout: null });
  if (exclude.includes(weight.id)) return none("it is excluded");
  if (excluded) return none("the criterion has no score for it");
  if (floorCount(layer, floors) * m > weight.size * n) return none(`its floor is above ${n}/${m}`);
  return patternFit(weight, pattern);
}
