/** Cases of activations, by name and as layers, and of normalisation. */
import { layers } from "@tensorflow/tfjs-layers";
import { floats } from "../../../support/tfjs/index.js";
import { layerCase, type TfjsCase } from "../case.js";

const wide = floats([3, 8]);
const spread = { ...wide, data: Array.from(wide.data, (value) => 4 * value) };
const image = floats([2, 4, 3, 5]);
const names = [
  ...["elu", "gelu", "hardSigmoid", "linear", "logSoftmax", "mish", "relu", "relu6", "selu", "sigmoid", "softmax"],
  ...["softplus", "softsign", "swish", "tanh"],
] as const;

export const activations: readonly TfjsCase[] = [
  ...names.map((activation) =>
    layerCase("Activation", activation, spread, () => layers.activation({ activation: activation as "relu" })),
  ),
  layerCase("ReLU", "no bound", spread, () => layers.reLU()),
  layerCase("ReLU", "a bound", spread, () => layers.reLU({ maxValue: 2.5 })),
  layerCase("LeakyReLU", "the default slope", spread, () => layers.leakyReLU()),
  layerCase("LeakyReLU", "a slope", spread, () => layers.leakyReLU({ alpha: 0.1 })),
  layerCase("ELU", "the default", spread, () => layers.elu()),
  layerCase("ThresholdedReLU", "a threshold", spread, () => layers.thresholdedReLU({ theta: 0.7 })),
  layerCase("PReLU", "a slope each", image, () => layers.prelu()),
  layerCase("PReLU", "a slope for each channel", image, () => layers.prelu({ sharedAxes: [1, 2] })),
  layerCase("Softmax", "the default axis", wide, () => layers.softmax()),
  layerCase("Softmax", "the last axis", image, () => layers.softmax({ axis: -1 })),
  // Its type says one axis; Keras, and what runs it, take several.
  layerCase("Softmax", "two axes", image, () => layers.softmax({ axis: [1, 2] as unknown as number })),
  layerCase("BatchNormalization", "of vectors", wide, () => layers.batchNormalization({ epsilon: 0.01 })),
  layerCase("BatchNormalization", "of images", image, () => layers.batchNormalization({})),
  layerCase("BatchNormalization", "no scale", image, () => layers.batchNormalization({ scale: false })),
  layerCase("BatchNormalization", "no offset", floats([2, 3, 5]), () => layers.batchNormalization({ center: false })),
  layerCase("LayerNormalization", "the last axis", floats([2, 3, 6]), () => layers.layerNormalization()),
  layerCase("LayerNormalization", "no offset", wide, () => layers.layerNormalization({ center: false })),
  layerCase("LayerNormalization", "no scale", image, () => layers.layerNormalization({ scale: false, epsilon: 0.1 })),
  layerCase("LayerNormalization", "another axis", image, () => layers.layerNormalization({ axis: 1 })),
  layerCase("LayerNormalization", "several axes", image, () => layers.layerNormalization({ axis: [1, 3] })),
  layerCase("LayerNormalization", "axes the wrong way round", image, () => layers.layerNormalization({ axis: [3, 2] })),
];
