/**
 * A Keras topology rebuilt by TensorFlow.js: classes it does not know, and reserved names, never reach it; its weights
 * are zeros that nothing fills. What is rebuilt gives the configuration of every layer with defaults filled in, and all
 * shapes.
 */
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { PruneScopeError } from "../../../../protocol/errors.js";
import { isObject, type Json, type JsonObject, type TfjsDocument } from "../document.js";
import { type TensorFlow, tensorFlow } from "../tensorflow.js";

/** Deepest nesting of a topology: what is deeper would exhaust the stack of whoever walks it. */
const maxDepth = 200;

/**
 * Rebuilds the topology; whoever is done with the model disposes of it.
 * @throws PruneScopeError `unsupported-op` for a class that TensorFlow.js does not have, `malformed-model` for what it
 * refuses.
 */
export async function rebuild({ path, topology }: TfjsDocument): Promise<LayersModel> {
  const tf = await tensorFlow();
  const config = checked(tf, path, topology, 0) as JsonObject;
  try {
    // The constructor's own type asks for a mutable dictionary; nothing is changed in it.
    return await tf.layers.loadLayersModel(tf.core.io.fromMemory({ modelTopology: config }));
  } catch (error) {
    const words = (error as Error).message.split("\n")[0]!;
    throw new PruneScopeError(
      "malformed-model",
      `TensorFlow.js cannot rebuild the layers of ${path}: ${words}`,
      { file: path },
      { cause: error },
    );
  }
}

/** The topology with initial weights replaced by zeros, which cost no memory before they are touched. */
function checked(tf: TensorFlow, path: string, json: Json, depth: number): Json {
  if (depth > maxDepth)
    throw new PruneScopeError("malformed-model", `The topology in ${path} is nested more than ${maxDepth} deep.`, {
      file: path,
    });
  if (Array.isArray(json)) return (json as readonly Json[]).map((item) => checked(tf, path, item, depth + 1));
  if (!isObject(json)) return json;
  const name = json["class_name"];
  if (name !== undefined && isObject(json["config"])) requireKnown(tf, path, name, json["config"]);
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(json)) {
    if (value === undefined) continue;
    out[key] = key.endsWith("_initializer") && isObject(value) ? zeros : checked(tf, path, value, depth + 1);
  }
  return out;
}

const zeros: JsonObject = { class_name: "Zeros", config: {} };

function requireKnown({ core }: TensorFlow, path: string, name: Json, config: JsonObject): void {
  const { classNameMap } = core.serialization.SerializationMap.getMap();
  if (typeof name === "string" && (Object.hasOwn(classNameMap, name) || builtIn.has(name))) return;
  const layer = typeof config["name"] === "string" ? config["name"] : "";
  throw new PruneScopeError(
    "unsupported-op",
    `Layer "${layer}" in ${path} is of class ${JSON.stringify(name)}, which TensorFlow.js does not have.`,
    { file: path, node: layer, operator: typeof name === "string" ? name : JSON.stringify(name) },
  );
}

/** Classes that Keras writes and TensorFlow.js knows under another name. */
const builtIn: ReadonlySet<string> = new Set(["Functional", "Model", "Sequential"]);
