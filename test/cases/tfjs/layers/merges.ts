/** Cases of layers that make one tensor of several. */
import { layers } from "@tensorflow/tfjs-layers";
import { floats } from "../../../support/tfjs/index.js";
import { layerCase, type TfjsCase } from "../case.js";

const image = floats([2, 4, 3, 2]);
const other = floats([2, 4, 3, 2], 2);
const third = floats([2, 4, 3, 2], 3);
const makers = {
  Add: () => layers.add(),
  Average: () => layers.average(),
  Maximum: () => layers.maximum(),
  Minimum: () => layers.minimum(),
  Multiply: () => layers.multiply(),
} as const;

export const merges: readonly TfjsCase[] = [
  ...Object.entries(makers).map(([of, make]) => layerCase(of, "three images", [image, other, third], make)),
  layerCase("Multiply", "a factor for each channel", [image, floats([2, 1, 1, 2], 2)], () => layers.multiply()),
  layerCase("Multiply", "tensors of other ranks", [image, floats([2, 2], 2)], () => layers.multiply()),
  layerCase("Add", "a sequence and a vector", [floats([2, 3, 2]), floats([2, 2], 2)], () => layers.add()),
  layerCase("Concatenate", "channels", [image, other, third], () => layers.concatenate()),
  layerCase("Concatenate", "rows", [image, floats([2, 2, 3, 2], 2)], () => layers.concatenate({ axis: 1 })),
  layerCase("Dot", "two vectors", [floats([2, 4]), floats([2, 4], 2)], () => layers.dot({ axes: 1 })),
  layerCase("Dot", "two matrices", [floats([2, 3, 4]), floats([2, 5, 4], 2)], () => layers.dot({ axes: -1 })),
  layerCase("Dot", "matrices by other axes", [floats([2, 4, 3]), floats([2, 5, 4], 2)], () =>
    layers.dot({ axes: [1, 2] }),
  ),
  layerCase("Dot", "a matrix and a vector", [floats([2, 3, 4]), floats([2, 4], 2)], () => layers.dot({ axes: [2, 1] })),
  layerCase("Dot", "a vector and a matrix", [floats([2, 4]), floats([2, 3, 4], 2)], () => layers.dot({ axes: [1, 2] })),
  layerCase("Dot", "cosines", [floats([2, 4]), floats([2, 4], 2)], () => layers.dot({ axes: -1, normalize: true })),
];
