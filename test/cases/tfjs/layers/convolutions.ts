/** Cases of convolutions. */
import { layers } from "@tensorflow/tfjs-layers";
import { floats, type TfjsModel } from "../../../support/tfjs/index.js";
import { layerCase, type TfjsCase } from "../case.js";

const line = floats([2, 9, 3]);
const image = floats([2, 7, 6, 3]);
const first = floats([2, 3, 7, 6]);
const volume = floats([1, 5, 6, 4, 2]);
const channelsFirst = { dataFormat: "channelsFirst" } as const;

/** TensorFlow.js leaves a separable convolution's multiplier out of what it saves. */
function withMultiplier(one: TfjsCase): TfjsCase {
  const topology = (model: TfjsModel): TfjsModel["topology"] =>
    JSON.parse(JSON.stringify(model.topology).replace('"filters":4', '"filters":4,"depth_multiplier":3')) as object;
  return {
    ...one,
    make: async () => {
      const model = await one.make();
      return { ...model, topology: topology(model) };
    },
  };
}

export const convolutions: readonly TfjsCase[] = [
  layerCase("Conv1D", "valid, strides", line, () => layers.conv1d({ filters: 4, kernelSize: 3, strides: 2 })),
  layerCase("Conv1D", "same, dilated", line, () =>
    layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: "same", activation: "elu" }),
  ),
  layerCase("Conv2D", "same, odd strides", image, () =>
    layers.conv2d({ filters: 4, kernelSize: [3, 2], strides: [2, 3], padding: "same", activation: "relu6" }),
  ),
  layerCase("Conv2D", "valid, dilated", image, () =>
    layers.conv2d({ filters: 4, kernelSize: 3, dilationRate: [2, 1], useBias: false, activation: "softmax" }),
  ),
  layerCase("Conv2D", "channels first", first, () =>
    layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "relu", ...channelsFirst }),
  ),
  layerCase("Conv2D", "channels first, softmax over columns", first, () =>
    layers.conv2d({ filters: 4, kernelSize: 3, activation: "softmax", ...channelsFirst }),
  ),
  layerCase("Conv3D", "same, strides", volume, () =>
    layers.conv3d({ filters: 3, kernelSize: [2, 3, 2], strides: [1, 2, 2], padding: "same" }),
  ),
  layerCase("Conv3D", "channels first", floats([1, 2, 4, 5, 4]), () =>
    layers.conv3d({ filters: 3, kernelSize: 2, useBias: false, ...channelsFirst }),
  ),
  ...[1, 2, 3].flatMap((strides) =>
    (["same", "valid"] as const).map((padding) =>
      layerCase("Conv2DTranspose", `${padding}, strides ${strides}`, image, () =>
        layers.conv2dTranspose({ filters: 4, kernelSize: [2, 3], strides, padding, activation: "relu" }),
      ),
    ),
  ),
  layerCase("Conv2DTranspose", "channels first", first, () =>
    layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same", ...channelsFirst }),
  ),
  layerCase("Conv3DTranspose", "same", volume, () =>
    layers.conv3dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" }),
  ),
  layerCase("Conv3DTranspose", "valid, no bias", volume, () =>
    layers.conv3dTranspose({ filters: 3, kernelSize: 2, strides: [1, 2, 3], useBias: false }),
  ),
  layerCase("DepthwiseConv2D", "same, strides", image, () =>
    layers.depthwiseConv2d({ kernelSize: 3, strides: [2, 2], padding: "same", activation: "relu6" }),
  ),
  layerCase("DepthwiseConv2D", "a multiplier", image, () =>
    layers.depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, activation: "swish" }),
  ),
  layerCase("DepthwiseConv2D", "channels first", first, () =>
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, ...channelsFirst }),
  ),
  layerCase("DepthwiseConv2D", "dilated, as TensorFlow.js takes it", image, () =>
    layers.depthwiseConv2d({ kernelSize: 2, dilationRate: 2 }),
  ),
  layerCase("SeparableConv2D", "same", image, () =>
    layers.separableConv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "relu" }),
  ),
  withMultiplier(
    layerCase("SeparableConv2D", "a multiplier, dilated", image, () =>
      layers.separableConv2d({ filters: 4, kernelSize: 2, depthMultiplier: 3, dilationRate: 2 }),
    ),
  ),
  layerCase("SeparableConv2D", "channels first", first, () =>
    layers.separableConv2d({ filters: 4, kernelSize: 3, useBias: false, ...channelsFirst }),
  ),
];
