/**
 * Saves a TensorFlow.js model with edited weights: its folder again, model.json and every shard under their own names.
 * Weights keep their places and their codes. model.json stays as it is but for the provenance that is put into it.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { type Model, nodeLabel } from "../../graph/graph.js";
import type { WriteOptions } from "../format.js";
import { underFreeKeys } from "../free-keys.js";
import type { Source } from "../source.js";
import { writeChanged } from "../write-changed.js";
import { readDocument } from "./document.js";
import { readManifest } from "./manifest.js";
import { provenanceSplice } from "./provenance.js";

/**
 * Writes the model; see {@link WriteOptions}. The target is the new model.json; shards go beside it.
 * @throws PruneScopeError `unsupported-op` for nodes to add, `unsafe-path`, `write-failed`.
 */
export async function writeTfjs(source: Source, model: Model, options: WriteOptions): Promise<void> {
  const [scale] = options.scales;
  if (scale !== undefined) {
    throw new PruneScopeError(
      "unsupported-op",
      `A TensorFlow.js topology has no place for a factor before "${nodeLabel(scale.node)}". Fold the factors into the weights (--stable-resnet fold), or save as ONNX.`,
      { file: source.main, node: nodeLabel(scale.node) },
    );
  }
  const records = underFreeKeys(model.metadata, options.provenance);
  await writeChanged(source, options, {
    splices: records.length === 0 ? [] : [provenanceSplice(source, records)],
    makeFolder: true,
    openData: (older) => readManifest(older, readDocument(older)),
  });
}
