/**
 * A recipe in a line: which criterion, on what data, under which terms. Scope, sparsity and exclusions have their own
 * places on the page.
 */
import type { ModelView } from "../../../server/protocol/model.js";
import { patternText } from "../../../server/protocol/pattern.js";
import type { BatchNormMode, NofM, Quota, Recipe } from "../../../server/protocol/recipe.js";
import { shorten } from "./names.js";
import { counted, percent } from "./numbers.js";

/** Modes of BatchNormalization, by what they are called. */
export const batchNormTitles: Readonly<Record<BatchNormMode, string>> = {
  auto: "as the model looks",
  stored: "stored statistics",
  batch: "batch statistics",
};

/** "SNIP on synthetic data, 32 samples, seed 0". */
export function recipeWords(recipe: Recipe, model: ModelView): string {
  const criterion = model.criteria.find(({ id }) => id === recipe.criterion);
  const title = criterion?.title ?? recipe.criterion;
  const terms: string[] = [];
  if (criterion?.needsData === true) {
    terms.push(counted(recipe.batch, "sample"));
    const loss = model.losses.find(({ id }) => id === recipe.loss);
    if (recipe.loss !== undefined) terms.push(loss?.title ?? recipe.loss);
    if (model.hasBatchNorm && recipe.batchNorm !== "auto") terms.push(batchNormTitles[recipe.batchNorm]);
  }
  const rounds = criterion?.rounds ?? 1;
  if (rounds > 1) terms.push(counted(rounds, "round"));
  terms.push(`seed ${recipe.seed}`);
  const data = criterion?.needsData === true ? ` on ${dataWords(recipe.data)}` : "";
  return `${title}${data}, ${terms.join(", ")}`;
}

/** What data is called: the file's or folder's own name. */
export function dataWords(path: string | undefined): string {
  if (path === undefined) return "synthetic data";
  const name =
    path
      .replace(/[\\/]+$/, "")
      .split(/[\\/]/)
      .at(-1) ?? "";
  return shorten(name === "" ? path : name, 48);
}

/** How much a recipe removes: "90 % sparsity", "2:4", or both. */
export function amountWords(pattern: NofM | undefined, sparsity: number): string {
  const share = `${percent(sparsity)} sparsity`;
  if (pattern === undefined) return share;
  return sparsity === 0 ? patternText(pattern) : `${patternText(pattern)} and ${share}`;
}

const quotaTitles: Readonly<Record<Quota, string>> = {
  uniform: "uniform densities",
  erk: "ERK densities",
  igq: "IGQ densities",
  "smart-ratio": "Smart-Ratio densities",
};

/** What a recipe does beside ranking weights in one shot, for example what a remedy brought; empty for most. */
export function extraWords({ mask, quota, rounds, floors, eocInit, stableResnet, rescale }: Recipe): string[] {
  const floored = Object.keys(floors).length;
  return [
    ...(mask === undefined ? [] : [`the mask of ${dataWords(mask)}`]),
    ...(quota === undefined ? [] : [quotaTitles[quota]]),
    ...(rounds === undefined ? [] : [`pruned in ${counted(rounds, "round")}`]),
    ...(floored === 0 ? [] : [`a least density for ${counted(floored, "layer")}`]),
    ...(eocInit === undefined ? [] : [`redrawn on the edge of chaos (${eocInit.scheme}, σ_b ${eocInit.sigmaB})`]),
    ...(stableResnet === undefined ? [] : ["Stable ResNet"]),
    ...(rescale === undefined ? [] : [`rescaled as ${rescale === "paper" ? "in the paper" : "measured"}`]),
  ];
}
