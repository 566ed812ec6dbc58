/** Job `collapse`: which layers die in which order, and what is left that works. */
import { type ErrorData, PruneScopeError, toErrorData } from "../../protocol/errors.js";
import type { CollapseReport, EffectiveReport } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { CollapseParams } from "../../protocol/requests.js";
import { maxSparsity } from "../pruning/risk.js";
import { hasNoSignal } from "../pruning/survey.js";
import { maskUnlessNonFinite } from "./analyze.js";
import { effectiveReport } from "./effective.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { withPrepared } from "./prepared-model.js";
import { layerStates } from "./report.js";
import { residualView } from "./residual-view.js";
import { type RankedScores, rankScores } from "./scoring.js";

export function collapse({ path, recipe }: CollapseParams, context: JobContext): Promise<CollapseReport> {
  return withPrepared(path, recipe, context, (open) => collapseOf(open, recipe, context));
}

/**
 * Direct and effective collapse of an open model under a recipe. Where paths cannot be followed, the order in which layers
 * die is there all the same.
 * @throws PruneScopeError what scoring throws, `missing-data` for a model without layers among it.
 */
export async function collapseOf(open: OpenModel, recipe: Recipe, context: JobContext): Promise<CollapseReport> {
  const ranked = await rankScores(open, recipe, context);
  const mask = maskUnlessNonFinite(ranked, recipe);
  const effective = await orError(() => {
    const { blocks } = residualView(open.model, open.search.weights);
    if (mask !== null) return effectiveReport(open, ranked, recipe, mask, blocks, context);
    throw new PruneScopeError(
      "non-finite",
      "Some scores are NaN or infinite, so no mask can be made: exclude their layers, which the report names.",
    );
  });
  const counts = "code" in effective ? [] : effective.layers.map((layer) => layer.effective);
  const states = layerStates(ranked, recipe, mask, counts);
  const { weights } = open.search;
  const order = weights
    .flatMap(({ id }, l) => {
      const sparsity = states[l]!.criticalSparsity;
      return sparsity === null ? [] : [{ id, sparsity, rank: ranked.lastRanks[l] ?? 0 }];
    })
    .sort((a, b) => a.sparsity - b.sparsity || a.rank - b.rank);
  const pool = weights.flatMap(({ size }, l) => (ranked.excluded[l] === true ? [] : [size]));
  return {
    resultId: ranked.resultId,
    sparsity: recipe.sparsity,
    order: order.map(({ id, sparsity }) => ({ id, sparsity })),
    criticalSparsity: order[0]?.sparsity ?? null,
    maxSparsity: maxSparsity(pool, recipe),
    noSignal: noSignalLayers(open, ranked),
    risks: states.map(({ risk }) => risk),
    effective,
  };
}

const noSignalLayers = (open: OpenModel, { unscored, surveys }: RankedScores): string[] =>
  open.search.weights.flatMap(({ id }, l) => ((unscored[l] ?? null) === null && hasNoSignal(surveys[l]!) ? [id] : []));

/** What `make` gives, or why it does not; only a cancelled job ends. */
async function orError(make: () => Promise<EffectiveReport>): Promise<EffectiveReport | ErrorData> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof PruneScopeError && error.code !== "cancelled") return toErrorData(error);
    throw error;
  }
}
