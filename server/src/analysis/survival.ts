/** Job `survival`: the exact state of every layer at one sparsity, from cached scores. */
import type { ExactSurvival } from "../../protocol/report.js";
import type { SurvivalParams } from "../../protocol/requests.js";
import { removesNoMore } from "../pruning/mask.js";
import type { JobContext } from "./jobs.js";
import { withPrepared } from "./prepared-model.js";
import { layerStates } from "./report.js";
import { maskOf, rankScores } from "./scoring.js";

export async function survival({ path, recipe }: SurvivalParams, context: JobContext): Promise<ExactSurvival> {
  return withPrepared(path, recipe, context, async (open) => {
    const ranked = await rankScores(open, recipe, context);
    const mask = maskOf(ranked, recipe);
    const states = layerStates(ranked, recipe, mask);
    return {
      resultId: ranked.resultId,
      sparsity: recipe.sparsity,
      scope: recipe.scope,
      kept: states.map((state) => state.kept),
      deadOutputs: states.map((state) => state.deadOutputs),
      risks: states.map((state) => state.risk),
      threshold:
        mask.globalCut === null || removesNoMore(mask.globalCut, ranked.scores)
          ? null
          : ranked.scores.scoreOf(mask.globalCut.key),
    };
  });
}
