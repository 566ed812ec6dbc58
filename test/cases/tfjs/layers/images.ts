/** Cases of pooling, padding, cropping, sizes and ranges of images. */
import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { floats, indices, type TensorValue } from "../../../support/tfjs/index.js";
import { layerCase, layersCase, type TfjsCase } from "../case.js";

const line = floats([2, 9, 3]);
const image = floats([2, 7, 5, 3]);
const first = floats([2, 3, 7, 5]);
const volume = floats([1, 5, 6, 4, 2]);
const channelsFirst = { dataFormat: "channelsFirst" } as const;

/**
 * A case of a layer behind another one: these write the shape of their output into that of their input, and no input of a
 * model survives that in TensorFlow.js.
 */
function behind(of: string, what: string, x: TensorValue, make: () => InstanceType<typeof layers.Layer>): TfjsCase {
  return layersCase(of, what, { x }, () => {
    const inputs = input({ name: "x", shape: x.shape.slice(1), dtype: x.dtype });
    const between = layers.activation({ activation: "linear" }).apply(inputs) as SymbolicTensor;
    return model({ inputs, outputs: make().apply(between) as SymbolicTensor });
  });
}

const pools = (["same", "valid"] as const).flatMap((padding) => [
  layerCase("MaxPooling1D", padding, line, () => layers.maxPooling1d({ poolSize: 2, padding })),
  layerCase("AveragePooling1D", padding, line, () => layers.averagePooling1d({ poolSize: 3, strides: 2, padding })),
  layerCase("MaxPooling2D", padding, image, () => layers.maxPooling2d({ poolSize: [2, 3], strides: 2, padding })),
  layerCase("AveragePooling2D", padding, image, () =>
    layers.averagePooling2d({ poolSize: 3, strides: [2, 1], padding }),
  ),
  layerCase("MaxPooling3D", padding, volume, () => layers.maxPooling3d({ poolSize: 2, strides: [2, 1, 2], padding })),
  layerCase("AveragePooling3D", padding, volume, () => layers.averagePooling3d({ poolSize: 2, padding })),
]);

export const images: readonly TfjsCase[] = [
  ...pools,
  layerCase("MaxPooling2D", "steps longer than windows", image, () =>
    layers.maxPooling2d({ poolSize: 2, strides: 3, padding: "same" }),
  ),
  layerCase("AveragePooling2D", "channels first", first, () =>
    layers.averagePooling2d({ poolSize: 2, ...channelsFirst }),
  ),
  layerCase("MaxPooling3D", "channels first", floats([1, 2, 4, 4, 4]), () =>
    layers.maxPooling3d({ poolSize: 2, ...channelsFirst }),
  ),
  layerCase("GlobalAveragePooling1D", "a sequence", line, () => layers.globalAveragePooling1d({})),
  layerCase("GlobalMaxPooling1D", "a sequence", line, () => layers.globalMaxPooling1d({})),
  layerCase("GlobalAveragePooling2D", "an image", image, () => layers.globalAveragePooling2d({})),
  layerCase("GlobalAveragePooling2D", "channels first", first, () => layers.globalAveragePooling2d(channelsFirst)),
  layerCase("GlobalMaxPooling2D", "an image", image, () => layers.globalMaxPooling2d({})),
  layerCase("ZeroPadding2D", "each side its own", image, () =>
    layers.zeroPadding2d({
      padding: [
        [1, 0],
        [2, 3],
      ],
    }),
  ),
  layerCase("ZeroPadding2D", "channels first", first, () => layers.zeroPadding2d({ padding: 1, ...channelsFirst })),
  layerCase("Cropping2D", "each side its own", image, () =>
    layers.cropping2D({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
  ),
  layerCase("Cropping2D", "channels first", first, () =>
    layers.cropping2D({
      cropping: [
        [2, 1],
        [0, 1],
      ],
      ...channelsFirst,
    }),
  ),
  layerCase("UpSampling2D", "nearest", image, () => layers.upSampling2d({ size: [2, 3] })),
  layerCase("UpSampling2D", "bilinear", image, () => layers.upSampling2d({ size: [3, 2], interpolation: "bilinear" })),
  layerCase("UpSampling2D", "channels first", first, () => layers.upSampling2d({ size: [2, 2], ...channelsFirst })),
  layerCase("Rescaling", "a range", image, () => layers.rescaling({ scale: 1 / 127.5, offset: -1 })),
  layerCase("Rescaling", "whole numbers", indices([1, 3, 3, 3], 256), () => layers.rescaling({ scale: 1 / 255 })),
  ...(
    [
      ["an even rest", 3, 3],
      ["an odd rest", 4, 4],
    ] as const
  ).map(([what, height, width]) => behind("CenterCrop", what, image, () => layers.centerCrop({ height, width }))),
  behind("CategoryEncoding", "several of each", indices([3, 4], 5), () =>
    layers.categoryEncoding({ numTokens: 6, outputMode: "multiHot" }),
  ),
  behind("CategoryEncoding", "one of each", indices([3, 1], 5), () =>
    layers.categoryEncoding({ numTokens: 6, outputMode: "oneHot" }),
  ),
  behind("CategoryEncoding", "counted", indices([3, 4], 3), () =>
    layers.categoryEncoding({ numTokens: 4, outputMode: "count" }),
  ),
];
