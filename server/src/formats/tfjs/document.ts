/**
 * A `model.json`, read and checked: which kind of model it is, its topology as it stands there, and its manifest of
 * weights. The file is a stranger's: its size is bounded, and names that would reach into the prototypes of objects are
 * refused wherever they stand, so that what comes out can be handed to TensorFlow.js.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Source } from "../source.js";

/** Most bytes of a model.json; topologies of large models have a few million. */
const maxBytes = 1 << 28;

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export interface TfjsDocument {
  readonly path: string;
  /** `layers`: Keras topology; `graph`: a TensorFlow GraphDef. */
  readonly kind: "layers" | "graph";
  readonly topology: JsonObject;
  readonly manifest: readonly Json[];
  /** Everything else that stands at the top: format, signature, userDefinedMetadata, … */
  readonly rest: JsonObject;
}

export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/**
 * Reads the main file of `source`.
 * @throws PruneScopeError `unsupported-format` where it is no TensorFlow.js model (a manifest of weights alone among them),
 * `malformed-model` where it is broken.
 */
export function readDocument(source: Source): TfjsDocument {
  const path = source.main;
  const json = parse(path, textOf(source));
  const foreign = (why: string): never => {
    throw new PruneScopeError("unsupported-format", `${path} is no TensorFlow.js model: ${why}.`, { file: path });
  };
  // What loads weights alone has a bare manifest.
  if (Array.isArray(json) && json.some((group) => isObject(group as Json) && "paths" in (group as JsonObject)))
    return foreign("it lists weights and has no topology (weights only). Open the model that they belong to");
  if (!isObject(json)) return foreign("it holds no object");
  const { modelTopology, weightsManifest, ...rest } = json;
  if (modelTopology === undefined || modelTopology === null) {
    return Array.isArray(weightsManifest)
      ? foreign("it lists weights and has no topology (weights only). Open the model that they belong to")
      : foreign("it has no modelTopology");
  }
  if (!isObject(modelTopology)) return foreign("its modelTopology is no object");
  if (weightsManifest !== undefined && !Array.isArray(weightsManifest))
    return foreign("its weightsManifest is no list");
  const kind = Array.isArray(modelTopology["node"])
    ? "graph"
    : isObject(modelTopology["model_config"]) || typeof modelTopology["class_name"] === "string"
      ? "layers"
      : foreign("its modelTopology has neither nodes nor layers");
  return {
    path,
    kind,
    topology: modelTopology,
    manifest: (weightsManifest as readonly Json[] | undefined) ?? [],
    rest,
  };
}

function textOf(source: Source): string {
  const path = source.main;
  const size = source.size(path);
  if (size > maxBytes)
    throw new PruneScopeError("malformed-model", `${path} has ${size} bytes, which is too long for a model.json.`, {
      file: path,
    });
  const bytes = new Uint8Array(size);
  source.read(path, 0, bytes);
  return new TextDecoder().decode(bytes);
}

/** Names that every object answers to: an assignment to one of them changes more than the object. */
const reserved: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function parse(path: string, text: string): Json {
  const refuse = (why: string, cause?: unknown): never => {
    throw new PruneScopeError("malformed-model", `${path} ${why}`, { file: path }, { cause });
  };
  const found = new Set<string>();
  let json: Json;
  try {
    json = JSON.parse(text, (key, value: Json) => {
      if (reserved.has(key)) found.add(key);
      return value;
    }) as Json;
  } catch (error) {
    return refuse(`is no JSON: ${(error as Error).message}.`, error);
  }
  const [name] = found;
  return name === undefined ? json : refuse(`has an entry "${name}", which no model has. It may be an attack.`);
}
