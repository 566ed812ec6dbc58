/** Names for saved models: beside the original, and saying what was done to it. */
import type { Recipe } from "../../../server/protocol/recipe.js";

/** `NAME.magnitude-90.onnx` for `NAME.onnx` pruned by magnitude to a sparsity of 90 %. */
export function targetName(original: string, recipe: Recipe): string {
  const dot = original.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [original.slice(0, dot), original.slice(dot)] : [original, ".onnx"];
  const criterion = recipe.criterion.replace(/[^A-Za-z0-9_-]+/g, "_");
  const amount = recipe.pattern === undefined ? percent(recipe.sparsity) : `${recipe.pattern.n}of${recipe.pattern.m}`;
  const perLayer = recipe.scope === "layer" && recipe.pattern === undefined ? "-per-layer" : "";
  return `${stem}.${criterion}-${amount}${perLayer}${extension}`;
}

/** A share as per cent with at most four decimals and none that is not needed: `90`, `99.95`. */
export function percent(share: number): string {
  return String(Number((share * 100).toFixed(4)));
}
