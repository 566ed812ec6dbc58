/**
 * What a person chose in this view: sparsity, recipe, sort order, filter, selection, scroll position. Kept through the
 * webview's own state, so that a hidden tab or a reloaded window comes back as it was.
 */
import type { LayerId } from "../../../server/protocol/model.js";
import { scopes, type Recipe, type Scope } from "../../../server/protocol/recipe.js";
import { isColumnId, type Sort } from "./layer-order.js";

/** The part of a recipe that decides the scores and the mask, the sparsity apart. */
export interface RecipeChoice {
  readonly criterion: string;
  readonly scope: Scope;
  readonly exclude: readonly LayerId[];
}

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

/** Whether two recipes rank and remove the same weights, whatever their sparsity. */
export function sameChoice(a: Pick<Recipe, keyof RecipeChoice>, b: Pick<Recipe, keyof RecipeChoice>): boolean {
  return (
    a.criterion === b.criterion &&
    a.scope === b.scope &&
    a.exclude.length === b.exclude.length &&
    new Set([...a.exclude, ...b.exclude]).size === new Set(a.exclude).size
  );
}

function readRecipe(stored: unknown): RecipeChoice | null {
  if (!isRecord(stored)) return null;
  const { criterion, scope, exclude } = stored;
  const known = scopes.find((candidate) => candidate === scope);
  if (typeof criterion !== "string" || known === undefined || !Array.isArray(exclude)) return null;
  return { criterion, scope: known, exclude: exclude.filter((id): id is string => typeof id === "string") };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
