/**
 * A `model.json`, read and checked: which kind of model it is, its topology as it stands there, and its manifest of
 * weights. What is no such model is told apart, so that people learn what they have opened.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Source } from "../source.js";
import { isObject, type Json, type JsonObject, parseJson } from "./json.js";

export { isObject, type Json, type JsonObject } from "./json.js";

/** Most bytes of a model.json; topologies of large models have a few million. */
const maxBytes = 1 << 26;

/** A hundred thousand nodes of a graph have about two million values; nested models have some five levels each. */
const limits = { depth: 200, values: 1 << 22 };

export interface TfjsDocument {
  readonly path: string;
  /** `layers`: Keras topology; `graph`: a TensorFlow GraphDef. */
  readonly kind: "layers" | "graph";
  readonly topology: JsonObject;
  readonly manifest: readonly Json[];
  /** Everything else that stands at the top: format, signature, userDefinedMetadata, … */
  readonly rest: JsonObject;
}

/**
 * Reads the main file of `source`.
 * @throws PruneScopeError `unsupported-format` where it is no TensorFlow.js model (a manifest of weights alone among them),
 * `malformed-model` where it is broken.
 */
export function readDocument(source: Source): TfjsDocument {
  const path = source.main;
  const json = parseJson(textOf(source), limits, (why) => malformed(path, `${why}.`));
  const foreign = (why: string): never => {
    throw new PruneScopeError("unsupported-format", `${path} is no TensorFlow.js model: ${why}.`, { file: path });
  };
  // Before version 1 the manifest had a file of its own, and the topology was a protobuf.
  if (isManifest(json))
    return foreign(
      'it lists weights and has no topology (weights only). Open the model.json that they belong to; where there is a "tensorflowjs_model.pb" instead, convert the model again, for its format is that of TensorFlow.js before 1.0',
    );
  if (!isObject(json)) return foreign("it holds no object");
  const { modelTopology, weightsManifest, ...rest } = json;
  if (modelTopology === undefined || modelTopology === null) {
    if (isManifest(weightsManifest))
      return foreign("it lists weights and has no topology (weights only). Open the model that they belong to");
    return foreign(
      typeof json["class_name"] === "string" && isObject(json["config"])
        ? "it is the architecture of a Keras model (to_json) without its weights. Save the whole model and convert it with tensorflowjs_converter"
        : "it has no modelTopology",
    );
  }
  if (!isObject(modelTopology)) return foreign("its modelTopology is no object");
  const { node, model_config: keras, class_name: className, config } = modelTopology;
  const isLayers = isObject(keras) || (typeof className === "string" && config !== undefined);
  if (!Array.isArray(node) && !isLayers) return foreign("its modelTopology has neither nodes nor layers");
  if (!Array.isArray(weightsManifest))
    return malformed(
      path,
      weightsManifest === undefined || weightsManifest === null
        ? "has a topology and no weightsManifest: it was saved without its weights."
        : "has a weightsManifest that is no list.",
    );
  const kind = Array.isArray(node) ? "graph" : "layers";
  if (kind === "graph" && isLayers) return malformed(path, "has both nodes and layers in its modelTopology.");
  return { path, kind, topology: modelTopology, manifest: weightsManifest as readonly Json[], rest };
}

function malformed(path: string, why: string): never {
  throw new PruneScopeError("malformed-model", `${path} ${why}`, { file: path });
}

/** Whether it is what `weightsManifest` should be: a list of groups, each with paths. */
function isManifest(json: Json | undefined): boolean {
  return Array.isArray(json) && (json as readonly Json[]).some((group) => isObject(group) && "paths" in group);
}

function textOf(source: Source): string {
  const path = source.main;
  const size = source.size(path);
  if (size > maxBytes) return malformed(path, `has ${size} bytes, which is too long for a model.json.`);
  const bytes = new Uint8Array(size);
  source.read(path, 0, bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return malformed(path, "is no JSON: its bytes are no text in UTF-8.");
  }
}
