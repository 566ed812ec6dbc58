/** Job `analyze`: scores, the report at the recipe's sparsity, and the tables that move the slider. */
import type { AnalyzeParams } from "../../protocol/requests.js";
import type { AnalysisResult } from "../../protocol/report.js";
import type { Mask } from "../pruning/mask.js";
import { survivalTable } from "../pruning/survival-table.js";
import { heldBefore } from "./held-before.js";
import type { JobContext } from "./jobs.js";
import { withPrepared } from "./prepared-model.js";
import { makeReport, scoreHistograms } from "./report.js";
import { maskOf, type RankedScores, rankScores } from "./scoring.js";
import type { Recipe } from "../../protocol/recipe.js";

export async function analyze({ path, recipe }: AnalyzeParams, context: JobContext): Promise<AnalysisResult> {
  return withPrepared(path, recipe, context, async (open, edits) => {
    const ranked = await rankScores(open, recipe, context);
    const mask = maskUnlessNonFinite(ranked, recipe);
    const notes = [...edits.map(({ words }) => words), ...open.model.notes];
    const report = makeReport(open, ranked, recipe, mask, notes);
    const held = await heldBefore(path, recipe, report, context);
    return {
      resultId: ranked.resultId,
      recipe,
      report: held === null ? report : { ...report, held },
      survival: survivalTable(ranked.surveys, ranked.excluded),
      histograms: scoreHistograms(ranked),
    };
  });
}

/** The mask, or null where scores that are not numbers forbid a selection: the layers are shown all the same. */
export function maskUnlessNonFinite(ranked: RankedScores, recipe: Recipe): Mask | null {
  const unrankable = ranked.surveys.some((layer, l) => layer.nonFinite > 0 && ranked.excluded[l] !== true);
  return unrankable ? null : maskOf(ranked, recipe);
}
