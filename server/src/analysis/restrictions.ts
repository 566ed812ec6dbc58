/** What a recipe removes before scores decide among the rest, in the order in which it is applied. */
import { basename } from "node:path";
import type { Recipe } from "../../protocol/recipe.js";
import { listed } from "../data/listed.js";
import { givenMask } from "../pruning/given-mask.js";
import type { OrderedScores } from "../pruning/order.js";
import type { PatternFit } from "../pruning/pattern/eligibility.js";
import { patternRestriction } from "../pruning/pattern/restriction.js";
import type { Restriction } from "../pruning/restrict.js";
import { givenArrays } from "./given-arrays.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { patternFits } from "./pattern-fits.js";
import type { ResultCache } from "./result-cache.js";

export interface Restrictions {
  /** First an imported mask, then the pattern, which chooses among what the mask leaves. */
  readonly list: readonly Restriction[];
  /** How each layer stands to the recipe's pattern: a layout for those that get it; null without a pattern. */
  readonly fits: readonly PatternFit[] | null;
  /** Sentences about where they come from and what they leave alone. */
  readonly notes: readonly string[];
}

/** Of a recipe without any. */
export const unrestricted: Restrictions = { list: [], fits: null, notes: [] };

/** Longest list of layers in a note. */
const mostNamed = 8;

/**
 * The restrictions of a recipe for scores.
 * @param excluded layers that are left dense, whatever removes weights elsewhere.
 * @throws PruneScopeError where the recipe's mask cannot be read or does not fit.
 */
export async function restrictionsOf(
  open: OpenModel,
  scores: OrderedScores,
  excluded: readonly boolean[],
  recipe: Recipe,
  cache: ResultCache | null,
  context: JobContext,
): Promise<Restrictions> {
  const mask = await givenRestriction(open, excluded, recipe, cache, context);
  const fits = patternFits(open.search.weights, scores, excluded, recipe);
  if (recipe.pattern === undefined || fits === null) return mask;
  const layouts = fits.map(({ layout }) => layout);
  return { list: [...mask.list, patternRestriction(recipe.pattern, layouts)], fits, notes: mask.notes };
}

/** What an imported mask removes. */
async function givenRestriction(
  open: OpenModel,
  excluded: readonly boolean[],
  recipe: Recipe,
  cache: ResultCache | null,
  context: JobContext,
): Promise<Restrictions> {
  if (recipe.mask === undefined) return unrestricted;
  const { fields, notes, identity } = await givenArrays(open, recipe.mask, "mask", cache, context);
  const without = open.search.weights.filter((_, i) => fields[i] === null).map(({ id }) => id);
  const whole =
    without.length === 0
      ? []
      : [`${basename(recipe.mask)} has no mask for ${listed(without, mostNamed)}: what it says removes nothing there.`];
  return { list: [givenMask(fields, excluded, ["mask", identity])], fits: null, notes: [...notes, ...whole] };
}
