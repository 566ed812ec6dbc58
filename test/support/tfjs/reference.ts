/** Runs a TensorFlow.js model as its own loaders read it: the reference that a lowered graph is held against. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { elementCount } from "../../../server/src/graph/tensor.js";
import { uniform } from "../arrays.js";
import { normal } from "../draws.js";
import { type Backend, useBackend } from "./backends.js";

/** A tensor outside of any runtime. */
export interface TensorValue {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly data: ArrayLike<number>;
}

/** Tensors by name, in the model's order. */
export type TensorValues = Readonly<Record<string, TensorValue>>;

/** A seeded float input, standard normal. */
export function floats(shape: readonly number[], seed = 1): TensorValue {
  const random = uniform(seed);
  return { shape, dtype: "float32", data: Float32Array.from({ length: elementCount(shape) }, () => normal(random)) };
}

/** A seeded input of whole numbers from 0 to below `limit`. */
export function indices(shape: readonly number[], limit: number, seed = 1): TensorValue {
  const random = uniform(seed);
  return {
    shape,
    dtype: "int32",
    data: Int32Array.from({ length: elementCount(shape) }, () => Math.floor(random() * limit)),
  };
}

/** An io handler that reads the folder of a model.json. */
export function folderHandler(path: string): tf.io.IOHandler {
  return {
    load: () => {
      const json = JSON.parse(readFileSync(path, "utf8")) as tf.io.ModelJSON;
      return tf.io.getModelArtifactsForJSON(json, (manifest) => {
        const files = manifest.flatMap(({ paths }) => paths).map((shard) => readFileSync(join(dirname(path), shard)));
        const bytes = new Uint8Array(Buffer.concat(files));
        return Promise.resolve([tf.io.getWeightSpecs(manifest), bytes.buffer]);
      });
    },
  };
}

/** Inputs as tensors of tfjs, on the backend that is used. */
export function tensorsOf(inputs: TensorValues): tf.NamedTensorMap {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape, dtype }]) => [
      name,
      tf.tensor(dtype === "float32" ? Float32Array.from(data) : Int32Array.from(data), [...shape], dtype),
    ]),
  );
}

/**
 * Outputs of the model at `path` on `backend`, by names of tfjs' own. `inputs` go by the names of its input layers or
 * placeholders.
 */
export async function runOriginal(path: string, inputs: TensorValues, backend: Backend): Promise<TensorValues> {
  await useBackend(backend);
  const { format, modelTopology } = JSON.parse(readFileSync(path, "utf8")) as {
    readonly format?: string;
    readonly modelTopology: { readonly node?: unknown };
  };
  const isGraph = format === "graph-model" || modelTopology.node !== undefined;
  const tensors = tensorsOf(inputs);
  const [names, outputs] = isGraph ? await runGraph(path, tensors) : await runLayers(path, tensors);
  const values = outputs.map((output) => ({
    shape: [...output.shape],
    dtype: output.dtype as TensorValue["dtype"],
    data: output.dataSync<"float32">().slice(),
  }));
  tf.dispose([tensors, outputs]);
  return Object.fromEntries(values.map((value, i) => [names[i]!, value]));
}

type Outputs = readonly [names: readonly string[], tensors: tf.Tensor[]];

async function runLayers(path: string, inputs: tf.NamedTensorMap): Promise<Outputs> {
  const model = await loadLayersModel(folderHandler(path));
  try {
    // Symbolic tensors tell their names; `inputNames` of a Sequential is empty.
    const fed = model.inputs.map(({ sourceLayer: { name } }) => {
      if (inputs[name] === undefined) throw new Error(`nothing is fed to input "${name}"`);
      return inputs[name];
    });
    const found = model.predict(fed.length === 1 ? fed[0]! : fed);
    return [model.outputs.map(({ name }) => name), Array.isArray(found) ? found : [found]];
  } finally {
    model.dispose();
  }
}

async function runGraph(path: string, inputs: tf.NamedTensorMap): Promise<Outputs> {
  const model = await loadGraphModel(folderHandler(path));
  try {
    const found = await executed(model, inputs);
    return [model.outputNodes, Array.isArray(found) ? found : [found]];
  } finally {
    model.dispose();
  }
}

type GraphModel = Awaited<ReturnType<typeof loadGraphModel>>;

/** Control flow and outputs of unknown size run by `executeAsync` only, and nothing tells beforehand. */
async function executed(model: GraphModel, inputs: tf.NamedTensorMap): Promise<tf.Tensor | tf.Tensor[]> {
  try {
    return model.execute(inputs, model.outputNodes);
  } catch (error) {
    if (!(error as Error).message.includes("executeAsync")) throw error;
    return model.executeAsync(inputs, model.outputNodes);
  }
}
