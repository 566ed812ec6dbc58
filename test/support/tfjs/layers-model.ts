/** Layers models for tests, built with tfjs-layers itself: seeded weights, and the artifacts that `model.save` makes. */
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { elementCount } from "../../../server/src/graph/tensor.js";
import { uniform } from "../arrays.js";
import { normal } from "../draws.js";
import { useBackend } from "./backends.js";
import type { TfjsModel } from "./folder.js";
import type { TfjsWeight } from "./weights.js";

export interface LayersOptions {
  readonly seed?: number;
  /** Wraps the topology in `model_config`, as converters from Keras do; tfjs itself does not. */
  readonly keras?: boolean;
  /** Elements of a weight in place of the seeded ones. */
  readonly values?: (name: string, shape: readonly number[]) => ArrayLike<number> | null;
}

/** What is saved of the model that `build` makes on the cpu backend. Its weights are seeded by their order. */
export async function layersModel(build: () => LayersModel, options: LayersOptions = {}): Promise<TfjsModel> {
  await useBackend("cpu");
  const model = build();
  const { topology, weights } = await saved(model);
  model.dispose();
  const random = uniform(options.seed ?? 1);
  return {
    format: "layers-model",
    topology: options.keras === true ? keras(topology) : topology,
    weights: weights.map((weight) => ({
      ...weight,
      values: options.values?.(weight.name, weight.shape) ?? seededValues(weight.name, weight.shape, random),
    })),
  };
}

/** The model's topology and weights, with the elements that it holds, as `model.save` gives them. */
export async function saved(
  model: LayersModel,
): Promise<{ readonly topology: object; readonly weights: readonly TfjsWeight[] }> {
  let artifacts: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler((given) => {
      artifacts = given;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    }),
  );
  const { modelTopology, weightData, weightSpecs } = artifacts;
  if (modelTopology === undefined || weightData === undefined || weightSpecs === undefined)
    throw new Error("tfjs saved no topology or no weights");
  const decoded = tf.io.decodeWeights(tf.io.CompositeArrayBuffer.join(weightData), weightSpecs);
  const weights = weightSpecs.map(({ name, shape, dtype }) => ({
    name,
    shape,
    dtype,
    values: decoded[name]!.dataSync<"float32">(),
  }));
  tf.dispose(decoded);
  return { topology: modelTopology, weights };
}

/**
 * Elements that keep signals of order 1 through a layer: kernels with variance 1 / fan-in, small biases and means,
 * scales and variances about 1, slopes of PReLU in [0.05, 0.45].
 */
export function seededValues(name: string, shape: readonly number[], random: () => number): Float32Array {
  const fanIn =
    shape.length < 2 ? 1 : /depthwise_kernel/.test(name) ? shape[0]! * shape[1]! : elementCount(shape) / shape.at(-1)!;
  const draw = /gamma|variance/.test(name)
    ? () => 0.5 + random()
    : /alpha/.test(name)
      ? () => 0.05 + 0.4 * random()
      : /bias|beta|mean/.test(name)
        ? () => 0.1 * normal(random)
        : () => normal(random) / Math.sqrt(fanIn);
  return Float32Array.from({ length: elementCount(shape) }, draw);
}

function keras(topology: object): object {
  const { class_name, config } = topology as { readonly class_name: string; readonly config: object };
  return { keras_version: "2.10.0", backend: "tensorflow", model_config: { class_name, config } };
}
