/** Saves a TensorFlow.js model with edited weights: its folder again, shard by shard. */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Model } from "../../graph/graph.js";
import type { WriteOptions } from "../format.js";
import type { Source } from "../source.js";

/** Writes the model; see {@link WriteOptions}. */
export function writeTfjs(source: Source, _model: Model, { target }: WriteOptions): Promise<void> {
  throw new PruneScopeError("unsupported-format", `${source.main} cannot be saved to ${target} yet.`, {
    file: source.main,
  });
}
