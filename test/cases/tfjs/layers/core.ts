/** Cases of Dense, Embedding and layers that only move elements or do nothing. */
import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { floats, indices } from "../../../support/tfjs/index.js";
import { layerCase, layersCase, type TfjsCase } from "../case.js";

const image = floats([2, 4, 3, 2]);

export const core: readonly TfjsCase[] = [
  layerCase("Dense", "with an activation", floats([3, 5]), () => layers.dense({ units: 4, activation: "relu" })),
  layerCase("Dense", "without a bias", floats([3, 5]), () => layers.dense({ units: 4, useBias: false })),
  layerCase("Dense", "on a sequence", floats([2, 3, 5]), () => layers.dense({ units: 4, activation: "softmax" })),
  layerCase("Dense", "on an image", image, () => layers.dense({ units: 4, activation: "tanh" })),
  layerCase("Dense", "on whole numbers", indices([3, 5], 9), () => layers.dense({ units: 4 })),
  layerCase("Embedding", "of a sequence", indices([2, 5], 7), () => layers.embedding({ inputDim: 7, outputDim: 3 })),
  layerCase("Embedding", "of floats", { ...floats([2, 3]), data: [0, 1.7, 2, 6, 5.2, 3] }, () =>
    layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 3 }),
  ),
  layerCase("Flatten", "an image", image, () => layers.flatten()),
  layerCase("Flatten", "channels first", image, () => layers.flatten({ dataFormat: "channelsFirst" })),
  layerCase("Reshape", "an image", image, () => layers.reshape({ targetShape: [6, 4] })),
  layerCase("Reshape", "a length that is not given", image, () => layers.reshape({ targetShape: [3, -1, 2] })),
  layerCase("Reshape", "to one point", floats([2, 6]), () => layers.reshape({ targetShape: [1, 1, 6] })),
  layerCase("Permute", "a sequence", floats([2, 3, 4]), () => layers.permute({ dims: [2, 1] })),
  layerCase("Permute", "an image", image, () => layers.permute({ dims: [3, 1, 2] })),
  layerCase("RepeatVector", "three times", floats([2, 4]), () => layers.repeatVector({ n: 3 })),
  layerCase("Masking", "no step is masked", floats([2, 3, 4]), () => layers.masking()),
  layerCase("Masking", "a step that is masked", { ...floats([1, 3, 2]), data: [1, 2, 3, 3, 3, 1] }, () =>
    layers.masking({ maskValue: 3 }),
  ),
  layerCase("Dropout", "when used", floats([2, 4]), () => layers.dropout({ rate: 0.5 })),
  layerCase("SpatialDropout1D", "when used", floats([2, 3, 4]), () => layers.spatialDropout1d({ rate: 0.5 })),
  layerCase("GaussianNoise", "when used", floats([2, 4]), () => layers.gaussianNoise({ stddev: 1 })),
  layerCase("GaussianDropout", "when used", floats([2, 4]), () => layers.gaussianDropout({ rate: 0.5 })),
  layerCase("AlphaDropout", "when used", floats([2, 4]), () => layers.alphaDropout({ rate: 0.5 })),
  layersCase("InputLayer", "is the output too", { x: floats([2, 3]) }, () => {
    const x = input({ name: "x", shape: [3] });
    return model({ inputs: x, outputs: [x, layers.dense({ units: 2 }).apply(x) as SymbolicTensor] });
  }),
];
