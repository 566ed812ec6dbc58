/**
 * The mask that a save applies. A pattern alone needs no ranking of the whole model: what goes is found group by group
 * while the file is written, and nothing is read before that but what the criterion reads.
 */
import type { Recipe } from "../../protocol/recipe.js";
import type { LayerPattern } from "../../protocol/report.js";
import { type Mask, restrictedOnly } from "../pruning/mask.js";
import type { OrderedScores } from "../pruning/order.js";
import type { PatternFit } from "../pruning/pattern/eligibility.js";
import { PatternField } from "../pruning/pattern/field.js";
import { restricted } from "../pruning/restrict.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { layerPatterns, retainedShare } from "./pattern-report.js";
import { restrictionsOf } from "./restrictions.js";
import { maskOf, openScores, rankScores } from "./scoring.js";

export interface SaveMask {
  readonly scores: OrderedScores;
  readonly mask: Mask;
  /** How each layer stands to the recipe's pattern; null without one. */
  readonly fits: readonly PatternFit[] | null;
  /** The same with the share of the score that is kept, once everything was written; null without a pattern. */
  readonly patterns: () => readonly LayerPattern[] | null;
}

/** Scores a model and makes the mask of a recipe. @throws PruneScopeError what scoring and ranking throw. */
export async function saveMask(open: OpenModel, recipe: Recipe, context: JobContext): Promise<SaveMask> {
  if (recipe.pattern !== undefined && recipe.sparsity === 0 && recipe.mask === undefined)
    return patternMask(open, recipe, context);
  const ranked = await rankScores(open, recipe, context);
  const { fits } = ranked.restrictions;
  return { scores: ranked.scores, mask: maskOf(ranked, recipe), fits, patterns: () => layerPatterns(ranked) };
}

async function patternMask(open: OpenModel, recipe: Recipe, context: JobContext): Promise<SaveMask> {
  const { scores: plain, excluded, cache, criterion } = await openScores(open, recipe, context);
  const { list, fits } = await restrictionsOf(open, plain, excluded, recipe, cache, context);
  const scores = restricted(plain, list);
  const { n, m } = recipe.pattern!;
  const layers = scores.layers.map(({ size }, l) =>
    fits?.[l]?.layout == null ? { cut: null, kept: size } : restrictedOnly((size / m) * n),
  );
  const retained = (l: number): number | null => {
    const field = scores.layers[l]?.field;
    const sums = field instanceof PatternField ? field.sums : null;
    return sums === null ? null : retainedShare(sums.kept, sums.all, criterion);
  };
  const patterns = (): LayerPattern[] | null =>
    fits?.map(({ use, reason }, l) => ({ use, reason, retained: retained(l) })) ?? null;
  return { scores, mask: { layers, globalCut: null }, fits, patterns };
}
