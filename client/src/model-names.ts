/** What a model is called where people read it; the rest of its name is the server's business as well. */
import { posix } from "node:path";
import { ownsFolder } from "../../server/protocol/model-names.js";

export { isJson, modelName, ownsFolder } from "../../server/protocol/model-names.js";

/** Name for a person: the file's, with its folder's where that is the model's name: `mobilenet/model.json`. */
export function shownName(path: string): string {
  const file = posix.basename(path);
  const folder = posix.basename(posix.dirname(path));
  return ownsFolder(path) ? `${folder}/${file}` : file;
}
