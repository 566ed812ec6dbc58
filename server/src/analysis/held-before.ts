/** What a file holds before anything is pruned, looked at only where it may be sparse. */
import type { Recipe } from "../../protocol/recipe.js";
import type { Report } from "../../protocol/report.js";
import { type HeldReport, isSparse, sparseShare } from "../../protocol/sparsity.js";
import { held } from "./held.js";
import type { JobContext } from "./jobs.js";

/** What the file at `path` holds, or null where it is dense. Scores by magnitude tell by themselves whether it is. */
export async function heldBefore(
  path: string,
  recipe: Recipe,
  report: Report,
  context: JobContext,
): Promise<HeldReport | null> {
  if (scoresAreWeights(recipe, report) && !mayBeSparse(report)) return null;
  const found = await held({ uri: path, path }, context);
  return isSparse(found) ? found : null;
}

/** Whether a score is 0 if and only if the weight in the file is. */
function scoresAreWeights(
  { criterion, pattern, mask, eocInit, permute, stableResnet }: Recipe,
  report: Report,
): boolean {
  const changes = [pattern, mask, eocInit, permute, stableResnet];
  // Elsewhere weights may be codes, of which none need be 0.
  if (report.model.format !== "onnx") return false;
  const scored = report.layers.every(({ score }) => score !== null);
  return criterion === "magnitude" && scored && changes.every((change) => change === undefined);
}

/** A layer that meets a pattern is half zeros, or stores only some of its elements: its score has another number of them. */
function mayBeSparse({ layers, model }: Report): boolean {
  const zeros = layers.map(({ score, parameters }) => (score?.zeroShare ?? 0) * parameters);
  const all = zeros.reduce((sum, one) => sum + one, 0);
  const storedSparsely = layers.some(
    ({ shape, parameters }) => shape.reduce((product, length) => product * length, 1) > parameters,
  );
  return (
    storedSparsely || all > sparseShare * model.prunable || zeros.some((one, l) => one >= layers[l]!.parameters / 2)
  );
}
