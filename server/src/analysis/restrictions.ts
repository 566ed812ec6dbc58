/** What a recipe removes before scores decide among the rest, in the order in which it is applied. */
import type { Recipe } from "../../protocol/recipe.js";
import type { OrderedScores } from "../pruning/order.js";
import type { Restriction } from "../pruning/restrict.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";

export interface Restrictions {
  /** First an imported mask, then the pattern, which chooses among what the mask leaves. */
  readonly list: readonly Restriction[];
}

/** Of a recipe without any. */
export const unrestricted: Restrictions = { list: [] };

/**
 * The restrictions of a recipe for scores.
 * @param excluded layers that are left dense, whatever removes weights elsewhere.
 */
export const restrictionsOf: (
  open: OpenModel,
  scores: OrderedScores,
  excluded: readonly boolean[],
  recipe: Recipe,
  context: JobContext,
) => Promise<Restrictions> = () => Promise.resolve(unrestricted);
