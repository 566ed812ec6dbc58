/**
 * What a model is called. An ONNX model is a file with a name of its own; a TensorFlow.js model is a folder of files, of
 * which the first is mostly called `model.json`, so that the folder's name says which model it is. Paths have `/`.
 */

/** The last part of a path. */
const lastOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The name of the folder that a file lies in. */
const folderOf = (path: string): string => lastOf(path.slice(0, Math.max(0, path.lastIndexOf("/"))));

/** Whether a path is that of a TensorFlow.js model, if it is one of a model at all. */
export function isJson(path: string): boolean {
  return /\.json$/i.test(path);
}

/** The model's name alone: `mobilenet` for `mobilenet/model.json` as for `mobilenet.json` and `mobilenet.onnx`. */
export function modelName(path: string): string {
  return ownsFolder(path) ? folderOf(path) : stemOf(path);
}

/** Name for a person: the file's, with its folder's where that is the model's name: `mobilenet/model.json`. */
export function shownName(path: string): string {
  return ownsFolder(path) ? `${folderOf(path)}/${lastOf(path)}` : lastOf(path);
}

/** Whether the folder that a model lies in is the model's: the file says nothing, or the folder goes on from its name. */
export function ownsFolder(path: string): boolean {
  if (!isJson(path)) return false;
  const stem = stemOf(path);
  const folder = folderOf(path);
  return folder !== "" && folder !== "." && (stem.toLowerCase() === "model" || folder.startsWith(`${stem}.`));
}

function stemOf(path: string): string {
  return lastOf(path).replace(/\.(json|onnx)$/i, "");
}
