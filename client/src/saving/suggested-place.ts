/**
 * Where a pruned model goes that nobody chose a place for: beside its original, under a name that says what was done. A
 * model whose weights lie in files of their own gets a folder, because those keep their names.
 */
import { dirname, join, parse, sep } from "node:path";
import type { Recipe } from "../../../server/protocol/recipe.js";
import { targetPath } from "../../../server/protocol/target-name.js";
import { isJson, ownsFolder } from "../../../server/protocol/model-names.js";

/**
 * Path of the file to write: `m.snip-90.onnx` for `m.onnx`, in a folder of that name where it has data files;
 * `mobilenet.snip-90/model.json` for `mobilenet/model.json`, `mobilenet.snip-90/mobilenet.json` for `mobilenet.json`.
 *
 * @param file path of the original. @param opened paths of the window's folders: beside one of them is out of sight, so
 * that a model whose own folder is opened is saved into it.
 */
export function suggestedPlace(file: string, recipe: Recipe, dataFiles: number, opened: readonly string[]): string {
  const folder = dirname(file);
  const path = file.split(sep).join("/");
  const place = targetPath(path, recipe);
  if (!isJson(file)) return dataFiles === 0 ? join(folder, place) : join(folder, parse(place).name, place);
  return join(ownsFolder(path) && !opened.includes(folder) ? dirname(folder) : folder, place);
}
