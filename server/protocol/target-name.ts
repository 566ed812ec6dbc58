/** Names for saved models: they say what was done, so that two recipes that do different things have different names. */
import { isJson, modelName } from "./model-names.js";
import type { Recipe } from "./recipe.js";

/**
 * `NAME.snip-90.onnx` for `NAME.onnx` pruned by SNIP to a sparsity of 90 %, `NAME.2of4.onnx` under a pattern by
 * magnitude, `NAME.2of4-70.onnx` with further weights removed; what else changes the model follows, `NAME.2of4-permuted.onnx`.
 */
export function targetName(original: string, recipe: Recipe): string {
  const dot = original.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [original.slice(0, dot), original.slice(dot)] : [original, ".onnx"];
  return `${stem}.${recipeName(recipe)}${extension}`;
}

/**
 * Where a pruned model goes below the folder that its original, or the folder that is its original, lies in, with `/`:
 * `NAME.snip-90.onnx`, `mobilenet.snip-90/model.json` for `mobilenet/model.json`, `NAME.snip-90/NAME.json` for `NAME.json`,
 * because shards keep their names.
 */
export function targetPath(original: string, recipe: Recipe): string {
  const file = original.slice(original.lastIndexOf("/") + 1);
  return isJson(file) ? `${modelName(original)}.${recipeName(recipe)}/${file}` : targetName(file, recipe);
}

/** What a recipe does, in a word: `snip-90`, `2of4-permuted`. A model that is a folder of files has it in the folder's name. */
export function recipeName(recipe: Recipe): string {
  return [...amountWords(recipe), ...changeWords(recipe)].join("-");
}

/** By what is pruned, and how much. */
function amountWords({ criterion, sparsity, pattern, mask, scope, quota }: Recipe): string[] {
  const maskAlone = mask !== undefined && pattern === undefined && sparsity === 0;
  if (maskAlone) return [];
  const ranked = pattern === undefined || sparsity > 0;
  return [
    // A pattern by magnitude is what everybody means by its name.
    ...(pattern !== undefined && criterion === "magnitude" ? [] : [criterion.replace(/[^A-Za-z0-9_-]+/g, "_")]),
    ...(pattern === undefined ? [] : [`${pattern.n}of${pattern.m}`]),
    ...(ranked ? [percent(sparsity)] : []),
    ...(!ranked ? [] : quota !== undefined ? [quota] : scope === "layer" ? ["per-layer"] : []),
  ];
}

/** What else the recipe does, a word for each. */
function changeWords({ mask, rounds = 1, eocInit, permute, stableResnet, rescale }: Recipe): string[] {
  return [
    ...(mask === undefined ? [] : ["masked"]),
    ...(rounds > 1 ? [`${rounds}rounds`] : []),
    ...(eocInit === undefined ? [] : [eocInit.scheme === "normal" ? "eoc" : `eoc-${eocInit.scheme}`]),
    ...(permute === undefined ? [] : ["permuted"]),
    ...(stableResnet === undefined ? [] : [stableResnet === "mul" ? "stable" : `stable-${stableResnet}`]),
    ...(rescale === undefined ? [] : [rescale === "paper" ? "rescaled" : `rescaled-${rescale}`]),
  ];
}

/** A share as per cent with at most four decimals and none that is not needed: `90`, `99.95`. */
export function percent(share: number): string {
  return String(Number((share * 100).toFixed(4)));
}
