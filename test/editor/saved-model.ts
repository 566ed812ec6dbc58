// Looks at a model that was saved pruned, without anything that saved it: byte ranges of the weights come from the
// reader, the rest is comparing two files.

import { readFile } from "node:fs/promises";
import { InferenceSession } from "onnxruntime-node";
import { withModel } from "../../server/src/analysis/open-model.js";

export interface SavedModel {
  /** Zeros by layer id. */
  readonly zeros: Readonly<Record<string, number>>;
  /** Weights that are neither what they were nor 0, over all layers. */
  readonly changed: number;
  /** Bytes outside the pruned weights that differ from the original's, and bytes of it that are missing. */
  readonly differing: number;
  /** Names of the outputs that ONNX Runtime says it has. */
  readonly outputs: readonly string[];
}

/** Compares `saved` with the `original` whose weights are float32. */
export async function lookAtSaved(original: string, saved: string): Promise<SavedModel> {
  const [before, after] = await Promise.all([readFile(original), readFile(saved)]);
  const zeros: Record<string, number> = {};
  let changed = 0;
  const outside = new Uint8Array(before.length).fill(1);
  await withModel(original, ({ search }) => {
    for (const { id, tensor } of search.weights) {
      const { offset, length, dtype, encoding } = tensor;
      if (dtype !== "float" || encoding !== "raw") throw new Error(`${id} is not stored as plain float32.`);
      outside.fill(0, offset, offset + length);
      zeros[id] = 0;
      for (let at = offset; at < offset + length; at += 4) {
        const value = after.readFloatLE(at);
        if (value === 0) zeros[id]++;
        else if (!Object.is(value, before.readFloatLE(at))) changed++;
      }
    }
    return Promise.resolve();
  });
  let differing = 0;
  for (let at = 0; at < before.length; at++) if (outside[at] === 1 && before[at] !== after[at]) differing++;
  const session = await InferenceSession.create(saved);
  const outputs = [...session.outputNames];
  await session.release();
  return { zeros, changed, differing, outputs };
}
