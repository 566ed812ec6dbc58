/** Which of two models is the original, where the person chose both at once. */
import { modelName } from "../../../server/protocol/model-names.js";

/**
 * A saved model's name goes on from the original's: `m.onnx` comes before `m.snip-90.onnx`, `m/model.json` before
 * `m.snip-90/model.json`. Else the order stays. @param paths of the models' URIs.
 */
export function originalFirst(paths: readonly [string, string]): boolean {
  const [first, second] = [modelName(paths[0]), modelName(paths[1])];
  return !(
    first.length > second.length &&
    first.startsWith(second) &&
    /^[^\p{L}\p{N}]/u.test(first.slice(second.length))
  );
}
