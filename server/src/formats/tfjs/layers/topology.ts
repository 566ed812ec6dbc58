/**
 * A Keras topology rebuilt by TensorFlow.js, checked before and without elements. What is rebuilt gives the configuration
 * of every layer with defaults filled in, and all shapes.
 */
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { JsonObject, TfjsDocument } from "../document.js";
import { shortened } from "../json.js";
import { type TensorFlow, tensorFlow } from "../tensorflow.js";
import { checkedTopology } from "./checked-topology.js";
import { BuildFailure, buildUnfilled, type Unfilled } from "./unfilled.js";

export { checkedTopology } from "./checked-topology.js";

/**
 * Rebuilds the topology; whoever is done with the model disposes of it.
 * @throws PruneScopeError `unsupported-op` for a class that TensorFlow.js does not have, `malformed-model` for what it
 * refuses.
 */
export async function rebuild(document: TfjsDocument): Promise<Unfilled> {
  const tf = await tensorFlow();
  const topology = checkedTopology(tf.core, document);
  try {
    return await buildUnfilled(tf, topology);
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    const { path } = document;
    const layer = error.layer ?? (await firstRefused(tf, topology));
    const where = layer === null ? `the layers of ${path}` : `layer ${shortened(layer)} of ${path}`;
    const words = error.cause instanceof RangeError ? "its layers form a chain that is too long" : error.message;
    throw new PruneScopeError(
      "malformed-model",
      `TensorFlow.js cannot rebuild ${where}: ${words.slice(0, 500)}${/[.!]$/.test(words) ? "" : "."}`,
      { file: path, ...(layer === null ? {} : { node: layer }) },
      { cause: error },
    );
  }
}

/** Name of the first layer that cannot even be made by itself; null where all can. */
async function firstRefused(tf: TensorFlow, topology: JsonObject): Promise<string | null> {
  const { layers } = topology["config"] as { readonly layers?: readonly JsonObject[] };
  for (const layer of layers ?? []) {
    try {
      (await buildUnfilled(tf, layer)).dispose();
    } catch {
      return (layer["config"] as { readonly name: string }).name;
    }
  }
  return null;
}
