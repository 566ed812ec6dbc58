/**
 * Where a batch of pruned models goes: into one folder, under names that say what was done. Folders below the one that
 * the inputs have in common are kept, so that models of the same name do not meet.
 */
import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, parse, relative, resolve, sep } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Recipe } from "../../protocol/recipe.js";
import { isJson, modelName, ownsFolder } from "../../protocol/model-names.js";
import { recipeName, targetPath } from "../../protocol/target-name.js";

/** Whether an output can only be a folder: it is written like one. */
export const isFolderName = (output: string): boolean => output.endsWith("/") || output.endsWith(sep);

/** A format that models are saved in whatever their own is; absent = each in its own. */
export type TargetFormat = "onnx" | undefined;

/**
 * Path of each model's output in `folder`, which is made. Nothing is written yet.
 * @throws PruneScopeError `bad-request` where the folder is a file, two outputs would be one, or an output is an input.
 */
export function targetsIn(
  folder: string,
  paths: readonly string[],
  recipe: Recipe,
  format?: TargetFormat,
): Map<string, string> {
  const root = resolve(folder);
  if (existsSync(root) && !statSync(root).isDirectory())
    throw new PruneScopeError("bad-request", `${folder} is a file; several models are written into a folder.`, {
      file: root,
    });
  const common = commonFolder(paths.map(placeOf));
  const taken = new Map<string, string>(paths.map((path) => [identity(path), path]));
  const targets = new Map<string, string>();
  for (const path of paths) {
    const own = slashed(path);
    const name = format === undefined ? targetPath(own, recipe) : `${modelName(own)}.${recipeName(recipe)}.${format}`;
    const target = join(root, relative(common, placeOf(path)), name);
    const other = taken.get(identity(target));
    if (other !== undefined)
      throw new PruneScopeError("bad-request", `${target}, the output of ${path}, would overwrite ${other}.`, {
        file: path,
      });
    taken.set(identity(target), `the output of ${path}`);
    targets.set(path, target);
  }
  return targets;
}

/**
 * The file that one model is written to: `output` itself, unless it can only be meant as the folder of a TensorFlow.js
 * model, which keeps the name of its file.
 * @throws PruneScopeError `bad-request` where the name is not one of the format that is asked for.
 */
export function targetOf(output: string, path: string, format?: TargetFormat): string {
  const target = resolve(output);
  const isOnnx = /\.onnx$/i.test(target);
  if (format === "onnx" && !isOnnx)
    throw new PruneScopeError("bad-request", `${output} is no name of an ONNX file: it must end in .onnx.`, {
      file: target,
    });
  return isJson(path) && !isJson(target) && !isOnnx ? join(target, basename(path)) : target;
}

/** The folder that a model lies in: around the one that is the model where it has one of its own. */
const placeOf = (path: string): string => (ownsFolder(slashed(path)) ? dirname(dirname(path)) : dirname(path));

/** A path with `/` between its parts. */
const slashed = (path: string): string => path.split(sep).join("/");

/** Makes the folder of an output. @throws PruneScopeError `write-failed`. */
export function makeFolderOf(target: string): void {
  const folder = dirname(target);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new PruneScopeError(
      "write-failed",
      `The folder ${folder} cannot be made: ${(error as Error).message}.`,
      { file: folder },
      { cause: error },
    );
  }
}

/** The deepest folder that all of the folders lie in, or are. @throws PruneScopeError `bad-request` where they share no root. */
function commonFolder(places: readonly string[]): string {
  const roots = new Set(places.map((place) => parse(place).root.toLowerCase()));
  if (roots.size > 1)
    throw new PruneScopeError(
      "bad-request",
      "The models lie on several drives: prune those of each drive by themselves.",
    );
  const folders = places.map((place) => place.split(sep));
  const [first = []] = folders;
  let depth = 0;
  while (depth < first.length && folders.every((parts) => parts[depth] === first[depth])) depth++;
  return first.slice(0, depth).join(sep) || sep;
}

/** What two paths share that lead to one file, on any file system: links are followed, case and accents count for nothing. */
function identity(path: string): string {
  let real = path;
  try {
    real = realpathSync(path);
  } catch {
    // It is not there yet; its folder may be, behind a link.
    try {
      real = join(realpathSync(dirname(path)), basename(path));
    } catch {
      // Nor is its folder.
    }
  }
  return real.normalize("NFC").toLowerCase();
}
