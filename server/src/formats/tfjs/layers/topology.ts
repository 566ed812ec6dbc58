/**
 * A Keras topology rebuilt by TensorFlow.js, checked before and without elements. What is rebuilt gives the configuration
 * of every layer with defaults filled in, and all shapes.
 */
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { JsonObject, TfjsDocument } from "../document.js";
import { shortened } from "../json.js";
import { type TensorFlow, tensorFlow } from "../tensorflow.js";
import { checkedTopology } from "./checked-topology.js";
import { KnownClasses } from "./known-classes.js";
import { BuildFailure, buildUnfilled, type Unfilled } from "./unfilled.js";

export { checkedTopology } from "./checked-topology.js";

/** A model that was rebuilt. */
export interface Rebuilt extends Unfilled {
  /** Names of layers that keep their states from one run to the next. */
  readonly stateful: readonly string[];
}

/**
 * Rebuilds the topology, with placeholders for layers that TensorFlow.js does not have; whoever is done with the model
 * disposes of it.
 * @throws PruneScopeError `unsupported-op` where the model itself is of a class that TensorFlow.js does not have,
 * `malformed-model` for what it refuses.
 */
export async function rebuild(document: TfjsDocument): Promise<Rebuilt> {
  const tf = await tensorFlow();
  keepShapes(tf);
  const known = new KnownClasses(tf);
  const topology = checkedTopology(tf.core, document, (layer) => known.layer(layer));
  try {
    return { ...(await buildUnfilled(tf, topology)), stateful: known.stateful };
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

/** Classes that write the shape of their output into that of their input, in TensorFlow.js 4.22. */
const writers = ["CategoryEncoding", "CenterCrop"];

type ShapeRule = (this: unknown, shape: readonly (number | null)[]) => unknown;

const kept = new WeakSet<ShapeRule>();

/** Gives those classes a copy of the shape. */
function keepShapes({ core }: TensorFlow): void {
  const { classNameMap } = core.serialization.SerializationMap.getMap();
  for (const name of writers) {
    const prototype = classNameMap[name]?.[0].prototype as { computeOutputShape: ShapeRule } | undefined;
    if (prototype === undefined || kept.has(prototype.computeOutputShape)) continue;
    const own = prototype.computeOutputShape;
    const onCopy: ShapeRule = function (shape) {
      return own.call(this, [...shape]);
    };
    kept.add(onCopy);
    prototype.computeOutputShape = onCopy;
  }
}
