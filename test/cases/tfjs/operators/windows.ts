/** Cases of pools and normalisations. */
import { floats, type TensorValue, weight } from "../../../support/tfjs/index.js";
import { nodeCase, type TfjsCase } from "../case.js";

const x = floats([2, 7, 6, 3]);
const positive = (values: TensorValue): Float32Array => Float32Array.from(values.data, (v) => 0.5 + Math.abs(v));

const statistics = [
  weight("scale", [3], positive(floats([3], 2))),
  weight("offset", [3], floats([3], 3).data),
  weight("mean", [3], floats([3], 4).data),
  weight("variance", [3], positive(floats([3], 5))),
];

export const windows: readonly TfjsCase[] = [
  ...["AvgPool", "MaxPool"].flatMap((op) => [
    nodeCase(op, "same", { x }, [], {
      ksize: [1, 3, 3, 1],
      strides: [1, 2, 2, 1],
      padding: "SAME",
      data_format: "NHWC",
    }),
    nodeCase(op, "valid", { x }, [], { ksize: [1, 2, 3, 1], strides: [1, 1, 2, 1], padding: "VALID" }),
  ]),
  nodeCase("MaxPoolWithArgmax", "largest elements alone", { x }, [], {
    ksize: [1, 2, 2, 1],
    strides: [1, 2, 2, 1],
    padding: "VALID",
    include_batch_in_index: false,
  }),
  ...["AvgPool3D", "MaxPool3D"].map((op) =>
    nodeCase(op, "same", { x: floats([1, 4, 5, 6, 2]) }, [], {
      ksize: [1, 2, 3, 2, 1],
      strides: [1, 2, 1, 2, 1],
      padding: "SAME",
      data_format: "NDHWC",
    }),
  ),
  ...["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"].map((op) =>
    nodeCase(op, "by stored statistics", { x }, statistics, { epsilon: 0.01, is_training: false, data_format: "NHWC" }),
  ),
  nodeCase("FusedBatchNormV3", "epsilon by default", { x }, statistics, { is_training: false }),
  nodeCase("LRN", "over two neighbours", { x: floats([2, 3, 3, 7]) }, [], {
    depth_radius: 2,
    alpha: 0.3,
    beta: 0.75,
    bias: 1.5,
  }),
];
