/** A model written again with scales and edits, as a save does it, without a mask. */
import type { OpenModel } from "../../server/src/analysis/open-model.js";
import type { InputScale, TensorEdit } from "../../server/src/formats/format.js";

/** Writes to `model.onnx` in the folder `place`. @returns its path. */
export async function writeCopy(
  place: string,
  { format, source, model }: OpenModel,
  scales: readonly InputScale[],
  edits: readonly TensorEdit[] = [],
): Promise<string> {
  const target = `${place}/model.onnx`;
  await format.write(source, model, {
    target,
    replaceOriginal: false,
    edits,
    scales,
    provenance: [],
    progress: () => Promise.resolve(),
    beforeCommit: () => undefined,
  });
  return target;
}
