/**
 * What a person chose in this view: sparsity, recipe, sort order, filter, selection, scroll position. Kept through the
 * webview's own state, so that a hidden tab or a reloaded window comes back as it was.
 */
import type { LayerId } from "../../../server/protocol/model.js";
import { parseRecipe, type Recipe, without } from "../../../server/protocol/recipe.js";
import { isColumnId, type Sort } from "./layer-order.js";

/** What a recipe may leave open: then data is synthetic, the loss automatic, and nothing else is changed. */
const openFields = [
  "pattern",
  "permute",
  "scores",
  "mask",
  "data",
  "loss",
  "quota",
  "rounds",
  "eocInit",
  "stableResnet",
  "rescale",
] as const;
export type OpenField = (typeof openFields)[number];

/** The part of a recipe that a person chooses here and that decides scores and mask, the sparsity apart. */
export type RecipeChoice = Pick<
  Recipe,
  "criterion" | "scope" | "exclude" | "floors" | "seed" | "batchNorm" | "batch" | OpenField
>;

export interface Choices {
  /** Path of the model that sparsity, recipe and selection belong to. */
  readonly path: string | null;
  /** Null until the slider was touched: then the host's recipe decides. */
  readonly sparsity: number | null;
  /** Null until criterion, scope or exclusions were changed here. */
  readonly recipe: RecipeChoice | null;
  /** What the host began with when this view was first opened. */
  readonly hostRecipe: RecipeChoice | null;
  readonly selected: LayerId | null;
  readonly sort: Sort;
  readonly filter: string;
  readonly scrollTop: number;
}

export const freshChoices: Choices = Object.freeze({
  path: null,
  sparsity: null,
  recipe: null,
  hostRecipe: null,
  selected: null,
  sort: Object.freeze({ column: "depth", descending: false }),
  filter: "",
  scrollTop: 0,
});

/** Takes what was persisted, perhaps by another version; every field that does not fit falls back to its default. */
export function readChoices(stored: unknown): Choices {
  if (!isRecord(stored)) return freshChoices;
  const { path, sparsity, recipe, hostRecipe, selected, sort, filter, scrollTop } = stored;
  return {
    path: typeof path === "string" ? path : null,
    sparsity: typeof sparsity === "number" && sparsity >= 0 && sparsity < 1 ? sparsity : null,
    recipe: readRecipe(recipe),
    hostRecipe: readRecipe(hostRecipe),
    selected: typeof selected === "string" ? selected : null,
    sort:
      isRecord(sort) && isColumnId(sort["column"])
        ? { column: sort["column"], descending: sort["descending"] === true }
        : freshChoices.sort,
    filter: typeof filter === "string" ? filter : "",
    scrollTop: typeof scrollTop === "number" && scrollTop > 0 ? scrollTop : 0,
  };
}

/** Drops what belongs to another model. */
export function choicesFor(choices: Choices, path: string): Choices {
  if (choices.path === path) return choices;
  if (choices.path === null) return { ...choices, path };
  return { ...freshChoices, sort: choices.sort, path };
}

/** The choices in a recipe. */
export function choiceOf(recipe: RecipeChoice): RecipeChoice {
  const { criterion, scope, exclude, floors, seed, batchNorm, batch } = recipe;
  const closed: RecipeChoice = { criterion, scope, exclude, floors, seed, batchNorm, batch };
  const open = openFields.filter((field) => recipe[field] !== undefined).map((field) => [field, recipe[field]]);
  return { ...closed, ...(Object.fromEntries(open) as Partial<Pick<Recipe, OpenField>>) };
}

/** The recipe with these choices instead of its own. */
export const withChoice = (recipe: Recipe, choice: RecipeChoice): Recipe => ({
  ...without(recipe, openFields),
  ...choiceOf(choice),
});

/** Whether two recipes rank and remove the same weights, whatever their sparsity. */
export function sameChoice(a: RecipeChoice, b: RecipeChoice): boolean {
  const text = (recipe: RecipeChoice): string =>
    JSON.stringify({ ...choiceOf(recipe), exclude: [...new Set(recipe.exclude)].sort() });
  return text(a) === text(b);
}

function readRecipe(stored: unknown): RecipeChoice | null {
  if (!isRecord(stored)) return null;
  try {
    return choiceOf(parseRecipe(stored));
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
