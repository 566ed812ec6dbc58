/**
 * Which models a command is about: files as they are named, folders of TensorFlow.js models, and globs that nobody has expanded yet (they were quoted, or
 * the shell does not, as on Windows). A command given one plain file answers for that file; given more, or a glob, it
 * answers for a batch, however many files there turn out to be, so that scripts know what they get.
 */
import { existsSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { type ErrorData, fromErrorData, PruneScopeError, toErrorData } from "../../protocol/errors.js";
import { isModel } from "../formats/index.js";
import type { CommandEngine } from "./command-engine.js";

/** Models of a command. */
export interface Models {
  /** Absolute, each once, in the order of the arguments, those of a glob by name. */
  readonly paths: readonly string[];
  /** Several arguments, or a glob. */
  readonly several: boolean;
}

/** What an argument of models is, in help. */
export const modelsWords =
  ".onnx files, model.json of TensorFlow.js or folders with one, or globs in quotes: 'models/**/*.onnx'";

/** What one model is, in help. */
export const modelWords = "an .onnx file, or the model.json of a TensorFlow.js model or its folder";

/** The file that a folder of a model stands for. */
const mainFile = "model.json";

/**
 * The model that a path names: the file itself, or of a folder its model.json.
 * @throws PruneScopeError `missing-data` for a folder without one.
 */
export function modelAt(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  const file = join(path, mainFile);
  if (existsSync(file)) return file;
  throw new PruneScopeError(
    "missing-data",
    `${path} is a folder without a ${mainFile}, and so no TensorFlow.js model. For all models in it, give a glob in quotes: '${shown(path)}/**'.`,
    { file: path },
  );
}

/**
 * Expands the arguments in `folder`. JSON files that are no models are passed over where a glob finds them.
 * @throws PruneScopeError `missing-data` for a glob that no model matches, or a folder without one.
 */
export async function modelsOf(args: readonly string[], folder: string = process.cwd()): Promise<Models> {
  const paths = new Set<string>();
  let several = args.length > 1;
  for (const argument of args) {
    const path = resolve(folder, argument);
    // A file may have the characters of a glob in its name.
    const pattern = process.platform === "win32" ? argument.replaceAll("\\", "/") : argument;
    if (existsSync(path) || !isDynamicPattern(pattern)) {
      paths.add(modelAt(path));
      continue;
    }
    several = true;
    const found = await glob(pattern, { cwd: folder, absolute: true, expandDirectories: false });
    const models = found.map((one) => resolve(one)).filter(isModel);
    if (models.length === 0)
      throw new PruneScopeError("missing-data", `No model matches ${argument}.`, { file: argument });
    for (const model of models.sort()) paths.add(model);
  }
  return { paths: [...paths], several };
}

/** A path as it is shown: below the folder that the command runs in. */
export const shown = (path: string): string => relative(process.cwd(), path) || path;

/** What became of one model: a result, or why there is none. */
export type Outcome<T> =
  { readonly path: string; readonly result: T } | { readonly path: string; readonly error: ErrorData };

/**
 * Does the work for one model after the other. One that fails does not stop the others, unless it is the only one that
 * was named. @throws PruneScopeError that model's own, or `cancelled`.
 */
export async function eachModel<T>(
  engine: CommandEngine,
  { paths, several }: Models,
  work: (path: string) => Promise<T>,
): Promise<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = [];
  for (const [i, path] of paths.entries()) {
    engine.subject = several ? `${i + 1}/${paths.length} ${basename(path)}` : null;
    try {
      outcomes.push({ path, result: await work(path) });
    } catch (error) {
      const data = toErrorData(error);
      if (!several || data.code === "cancelled") throw error instanceof PruneScopeError ? error : fromErrorData(data);
      outcomes.push({ path, error: data });
    }
  }
  engine.subject = null;
  return outcomes;
}
