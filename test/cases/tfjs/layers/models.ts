/** Cases of whole models: nested, shared, with channels first and last next to each other. */
import { input, layers, model, sequential, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { floats } from "../../../support/tfjs/index.js";
import { layersCase, type TfjsCase } from "../case.js";

const image = floats([2, 8, 8, 3]);
const through = (x: SymbolicTensor, ...list: readonly { apply(x: SymbolicTensor): unknown }[]): SymbolicTensor =>
  list.reduce((value, layer) => layer.apply(value) as SymbolicTensor, x);

export const models: readonly TfjsCase[] = [
  layersCase("Sequential", "a small CNN", { x: image }, () =>
    sequential({
      layers: [
        layers.inputLayer({ inputShape: [8, 8, 3], name: "x" }),
        layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", padding: "same" }),
        layers.batchNormalization(),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.conv2d({ filters: 4, kernelSize: 3 }),
        layers.flatten(),
        layers.dense({ units: 5, activation: "softmax" }),
      ],
    }),
  ),
  layersCase(
    "Functional",
    "two inputs, two outputs, a layer that is shared",
    { a: floats([2, 4]), b: floats([2, 4], 2) },
    () => {
      const inputs = ["a", "b"].map((name) => input({ name, shape: [4] }));
      const shared = layers.dense({ units: 4, activation: "tanh" });
      const [a, b] = inputs.map((one) => shared.apply(one) as SymbolicTensor);
      return model({ inputs, outputs: [layers.add().apply([a!, b!]) as SymbolicTensor, b!] });
    },
  ),
  layersCase("Functional", "models in models", { x: image }, () => {
    const inner = sequential({
      layers: [
        layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", inputShape: [8, 8, 3] }),
        layers.reLU(),
        sequential({ layers: [layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", inputShape: [8, 8, 4] })] }),
      ],
    });
    const x = input({ name: "x", shape: [8, 8, 3] });
    const once = inner.apply(x) as SymbolicTensor;
    const twice = inner.apply(once) as SymbolicTensor;
    return model({ inputs: x, outputs: layers.add().apply([x, once, twice]) as SymbolicTensor });
  }),
  layersCase("Functional", "squeeze and excitation, separable, residual", { x: image }, () => {
    const x = input({ name: "x", shape: [8, 8, 3] });
    const body = through(
      x,
      layers.conv2d({ filters: 6, kernelSize: 1, padding: "same" }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: "same" }),
      layers.prelu({ sharedAxes: [1, 2] }),
    );
    const gate = through(
      body,
      layers.globalAveragePooling2d({}),
      layers.reshape({ targetShape: [1, 1, 6] }),
      layers.conv2d({ filters: 6, kernelSize: 1, activation: "sigmoid" }),
    );
    const out = through(
      layers.multiply().apply([body, gate]) as SymbolicTensor,
      layers.separableConv2d({ filters: 3, kernelSize: 3, padding: "same" }),
    );
    return model({ inputs: x, outputs: layers.add().apply([x, out]) as SymbolicTensor });
  }),
  layersCase("Functional", "channels first and last", { x: floats([2, 4, 4, 4]) }, () => {
    const x = input({ name: "x", shape: [4, 4, 4] });
    const conv = (dataFormat: "channelsFirst" | "channelsLast"): SymbolicTensor =>
      through(x, layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", dataFormat }));
    const [a, b] = [conv("channelsFirst"), conv("channelsLast")];
    return model({ inputs: x, outputs: layers.multiply().apply([a, b, x]) as SymbolicTensor });
  }),
];
