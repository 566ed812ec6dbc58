/**
 * Recipes on disk: in the metadata of a model that PruneScope saved, or as JSON. A .json may be either: a model.json of
 * TensorFlow.js is one by its content. What is in them is checked, whoever wrote it.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type ErrorCode, type ErrorData, PruneScopeError } from "../../protocol/errors.js";
import { parseRecipe, type Recipe } from "../../protocol/recipe.js";
import { formatOf } from "../formats/index.js";
import { Source } from "../formats/source.js";
import type { Model } from "../graph/graph.js";

/** Largest file that is read as a recipe. */
const maxBytes = 1 << 20;

/** Keys of recipes in metadata; a model that was saved several times has one for each, and the last is the newest. */
const recipeKey = /^prunescope\.recipe(?:\.\d+)?$/;

/** Fields that are paths, and the option that replaces each. */
export const pathFields = { data: "--data", scores: "--scores", mask: "--mask" } as const;

/**
 * The recipe in `file`: a model that PruneScope saved, or a .json. Its relative paths are relative to the file's folder.
 * @throws PruneScopeError naming the file: `missing-data` where it is absent or has no recipe, `bad-request` where what it
 * has is none, and what the format's reader throws.
 */
export function recipeIn(file: string): Recipe {
  const path = resolve(file);
  const records = recordsIn(path);
  const text = records === null ? jsonText(path) : recipeAmong(records, path);
  const recipe = checked(path, text);
  const paths = Object.keys(pathFields) as (keyof typeof pathFields)[];
  const absolute = paths.flatMap((field) => {
    const given = recipe[field];
    return given === undefined ? [] : [[field, resolve(dirname(path), given)] as const];
  });
  return { ...recipe, ...Object.fromEntries(absolute) };
}

/**
 * Refuses a recipe whose files are not there.
 * @param from the file that the recipe comes from.
 * @param replaced fields that do not come from it.
 */
export function requireFiles(recipe: Recipe, from: string, replaced: ReadonlySet<string>): void {
  for (const [field, option] of Object.entries(pathFields)) {
    const path = recipe[field as keyof typeof pathFields];
    if (path === undefined || replaced.has(field) || existsSync(path)) continue;
    throw new PruneScopeError(
      "missing-data",
      `The recipe in ${from} names ${path} as its ${field}, which does not exist. Name another with ${option}.`,
      { file: path },
    );
  }
}

/** An error about a layer that the model has not, with the file whose recipe names the layer. */
export function withRecipe(data: ErrorData, file: string): ErrorData {
  const { value } = data.about;
  if (data.code !== "bad-request" || value === undefined) return data;
  return { ...data, message: `The recipe in ${file} cannot be used here: ${data.message}` };
}

function jsonText(path: string): string {
  const source = new Source(path);
  try {
    const size = source.size();
    if (size > maxBytes)
      throw new PruneScopeError("bad-request", `${path} has ${size} bytes, which is too long for a recipe.`, {
        file: path,
      });
    const bytes = new Uint8Array(size);
    source.read(path, 0, bytes);
    return new TextDecoder().decode(bytes);
  } finally {
    source.close();
  }
}

/** What makes a .json no model. */
const noModel: ReadonlySet<ErrorCode> = new Set(["malformed-model", "unsupported-format"]);

/** What a model says about itself; null for a .json that is none. */
function recordsIn(path: string): Model["metadata"] | null {
  const format = formatOf(path);
  const source = new Source(path);
  try {
    return format.metadata(source);
  } catch (error) {
    if (/\.json$/i.test(path) && error instanceof PruneScopeError && noModel.has(error.code)) return null;
    throw error;
  } finally {
    source.close();
  }
}

function recipeAmong(records: Model["metadata"], path: string): string {
  const record = records.filter(({ key }) => recipeKey.test(key)).at(-1);
  if (record !== undefined) return record.value;
  throw new PruneScopeError(
    "missing-data",
    `${path} holds no recipe: PruneScope did not save it, or was told to leave metadata out.`,
    { file: path },
  );
}

function checked(path: string, text: string): Recipe {
  try {
    return parseRecipe(JSON.parse(text));
  } catch (error) {
    const why = error instanceof PruneScopeError ? error.message : "it is no JSON.";
    throw new PruneScopeError(
      "bad-request",
      `The recipe in ${path} cannot be used: ${why}`,
      { file: path },
      { cause: error },
    );
  }
}
