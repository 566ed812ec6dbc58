/** A recipe outlives the model it was made for when the file changes on disk; this makes the two fit again. */
import type { ModelView } from "../../../server/protocol/model.js";
import type { Recipe } from "../../../server/protocol/recipe.js";

/** The recipe without what it says of layers that the model does not have (any more). */
export function fittingRecipe(recipe: Recipe, model: ModelView): Recipe {
  const layers = new Set(model.layers.map((layer) => layer.id));
  return {
    ...recipe,
    exclude: recipe.exclude.filter((id) => layers.has(id)),
    floors: Object.fromEntries(Object.entries(recipe.floors).filter(([id]) => layers.has(id))),
  };
}
