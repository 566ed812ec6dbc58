/** Whether a save is a conversion: the format of the target's name against that of the model. */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Recipe } from "../../../protocol/recipe.js";
import type { Format } from "../../formats/format.js";
import { formats } from "../../formats/index.js";

/**
 * Whether a model of `format` becomes an ONNX file at `target`.
 * @throws PruneScopeError `bad-request` for the other way, and for what a recipe asks for that is proved on the model's own
 * numbers only.
 */
export function convertsToOnnx(format: Format, target: string, { stableResnet }: Recipe): boolean {
  const name = target.toLowerCase();
  const wanted = formats.find(({ extensions }) => extensions.some((extension) => name.endsWith(extension)));
  if (wanted === undefined || wanted.id === format.id) return false;
  if (wanted.id !== "onnx")
    throw new PruneScopeError(
      "bad-request",
      `${target} has the name of another format than the model's: ${format.id} is not converted to ${wanted.id}, only to ONNX.`,
      { file: target },
    );
  if (stableResnet !== undefined)
    throw new PruneScopeError(
      "bad-request",
      "Stable ResNet and a conversion to ONNX do not go together: convert the model first (prunescope convert), and prune the ONNX file.",
      { file: target },
    );
  return true;
}
