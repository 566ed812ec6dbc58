/** Gradients by tfjs' own reverse mode on its cpu backend: what ours are held against. */
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { useBackend } from "./backends.js";
import { folderHandler, tensorsOf, type TensorValues } from "./reference.js";

/**
 * |w · ∂L/∂w| of every trainable weight of the layers model at `path`, by its name, with L = ½ mean y² of the model's first
 * output. A weight that L does not depend on is absent.
 */
export async function snipByTfjs(path: string, inputs: TensorValues): Promise<Readonly<Record<string, Float32Array>>> {
  await useBackend("cpu");
  const model = await loadLayersModel(folderHandler(path));
  const given = tensorsOf(inputs);
  try {
    const fed = model.inputs.map(({ sourceLayer: { name } }) => given[name]!);
    const loss = (): tf.Scalar => {
      const found = model.apply(fed.length === 1 ? fed[0]! : fed, { training: false }) as tf.Tensor | tf.Tensor[];
      const y = Array.isArray(found) ? found[0]! : found;
      return tf.mul(0.5, tf.mean(tf.square(y)));
    };
    const variables = model.trainableWeights.flatMap((weight) => {
      const variable = weight.read();
      return variable instanceof tf.Variable ? [[weight.originalName, variable] as const] : [];
    });
    return tf.tidy(() => {
      const { grads } = tf.variableGrads(
        loss,
        variables.map(([, variable]) => variable),
      );
      const scores: Record<string, Float32Array> = {};
      for (const [name, variable] of variables) {
        const gradient = grads[variable.name] as tf.Tensor | null | undefined;
        if (gradient != null) scores[name] = tf.abs(tf.mul(variable, gradient)).dataSync<"float32">().slice();
      }
      return scores;
    });
  } finally {
    tf.dispose(given);
    model.dispose();
  }
}
