/**
 * Nodes in the form of old operator sets, at least one for each change that `graph/modernise` knows. Inputs are float
 * unless they say otherwise; the first is the model's input, the others are constants.
 */
import type { DType } from "../../server/protocol/model.js";
import type { AttributeValue } from "../support/models.js";

export interface OldInput {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Seeded normal numbers when absent. */
  readonly values?: readonly number[];
  /** A second input of the model instead of a constant. */
  readonly fed?: true;
}

export interface OldOperator {
  readonly op: string;
  readonly opset: number;
  readonly inputs: readonly OldInput[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Element types of the outputs; one float when absent. */
  readonly outputs?: readonly DType[];
  /** Number of outputs that the node lists, when it lists more than are used. */
  readonly listed?: number;
}

const image: OldInput = { shape: [2, 4, 5, 6] };
const ints = (...values: number[]): OldInput => ({ shape: [values.length], dtype: "int64", values });
const floats = (...values: number[]): OldInput => ({ shape: [values.length], values });
const positive = (shape: readonly number[]): OldInput => ({
  shape,
  values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 + ((i * 7) % 11) / 11),
});

const reductions = ["L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"].map(
  (kind) => `Reduce${kind}`,
);

/** Forms that attributes of a reduction take. */
const reduced: readonly OldOperator["attributes"][] = [
  { axes: [1, 3] },
  { axes: [-1], keepdims: 0 },
  { keepdims: 0 },
  {},
];

export const oldOperators: readonly OldOperator[] = [
  ...[7, 8].flatMap((opset): OldOperator[] => [
    {
      op: "BatchNormalization",
      opset,
      inputs: [image, floats(1, 2, 3, 4), floats(0, 1, -1, 2), floats(0.1, 0.2, 0.3, -1), floats(1, 2, 0.5, 3)],
      attributes: { epsilon: 0.001 },
    },
    {
      op: "BatchNormalization",
      opset,
      inputs: [{ shape: [3, 2, 2] }, positive([2, 2]), positive([2, 2]), positive([2, 2]), positive([2, 2])],
      attributes: { spatial: 0 },
    },
  ]),
  {
    op: "BatchNormalization",
    opset: 9,
    inputs: [image, floats(1, 2, 3, 4), floats(0, 1, -1, 2), floats(0.1, 0.2, 0.3, -1), floats(1, 2, 0.5, 3)],
    attributes: { momentum: 0.8 },
  },
  ...[7, 10].flatMap((opset): OldOperator[] => [
    { op: "Clip", opset, inputs: [image], attributes: { min: { float: -0.5 }, max: { float: 0.25 } } },
    { op: "Clip", opset, inputs: [image], attributes: { min: { float: 0 } } },
    { op: "Clip", opset, inputs: [image], attributes: { max: { float: 0 } } },
    { op: "Clip", opset, inputs: [image] },
  ]),
  {
    op: "Pad",
    opset: 10,
    inputs: [{ ...image, dtype: "double" }],
    attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 0], value: 1.5 },
    outputs: ["double"],
  },
  { op: "DFT", opset: 17, inputs: [{ shape: [2, 6, 3, 1] }] },
  {
    op: "DFT",
    opset: 19,
    inputs: [{ shape: [2, 6, 8, 1] }, { shape: [], dtype: "int64", values: [8] }],
    attributes: { axis: 2, onesided: 1 },
  },
  ...[7, 10].map((opset): OldOperator => ({ op: "Dropout", opset, inputs: [image], attributes: { ratio: 0.3 } })),
  ...["bilinear", "nearest", "bicubic"].map((mode): OldOperator => ({
    op: "GridSample",
    opset: 16,
    inputs: [image, { shape: [2, 3, 3, 2] }],
    attributes: { mode },
  })),
  { op: "GridSample", opset: 16, inputs: [image, { shape: [2, 3, 3, 2] }] },
  {
    op: "GroupNormalization",
    opset: 18,
    inputs: [image, floats(2, -1), floats(0.5, 3)],
    attributes: { num_groups: 2, epsilon: 0.01 },
  },
  ...["Softmax", "LogSoftmax", "Hardmax"].flatMap((op): OldOperator[] => [
    { op, opset: 7, inputs: [image] },
    { op, opset: 7, inputs: [image], attributes: { axis: 3 } },
    { op, opset: 9, inputs: [{ shape: [3, 7] }] },
    { op, opset: 11, inputs: [image], attributes: { axis: -2 } },
    { op, opset: 12, inputs: [image], attributes: { axis: 0 } },
    { op, opset: 12, inputs: [image], attributes: { axis: -1 } },
  ]),
  ...[7, 10].flatMap((opset): OldOperator[] => [
    { op: "Pad", opset, inputs: [image], attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 0] } },
    { op: "Pad", opset, inputs: [image], attributes: { pads: [0, 1, 1, 2, 0, 0, -1, 0], value: 1.5 } },
    { op: "Pad", opset, inputs: [image], attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 0], mode: "reflect" } },
    { op: "Pad", opset, inputs: [image], attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 0], mode: "edge" } },
  ]),
  ...reductions.flatMap((op) =>
    [7, 11, 12].flatMap((opset) =>
      reduced.flatMap((attributes): OldOperator[] =>
        // Negative axes came with opset 11.
        opset === 7 && JSON.stringify(attributes).includes("-")
          ? []
          : [{ op, opset, inputs: [image], ...(attributes === undefined ? {} : { attributes }) }],
      ),
    ),
  ),
  { op: "ReduceLogSum", opset: 13, inputs: [{ ...positive([3, 4]), fed: true }], attributes: { axes: [1] } },
  { op: "ReduceMean", opset: 17, inputs: [image], attributes: { axes: [2, 3] } },
  ...["nearest", "linear"].flatMap((mode): OldOperator[] => [
    { op: "Resize", opset: 10, inputs: [image, floats(1, 1, 2, 2)], attributes: { mode } },
    { op: "Resize", opset: 10, inputs: [image, floats(1, 1, 0.6, 0.5)], attributes: { mode } },
    { op: "Resize", opset: 10, inputs: [image, floats(1, 1, 2.3, 0.7)], attributes: { mode } },
    { op: "Resize", opset: 10, inputs: [image, { ...floats(1, 1, 0.6, 1.7), fed: true }], attributes: { mode } },
    { op: "Resize", opset: 11, inputs: [image, { ...floats() }, floats(1, 1, 2.5, 0.7)], attributes: { mode } },
    {
      op: "Resize",
      opset: 11,
      inputs: [image, { ...floats() }, { ...floats() }, ints(2, 4, 7, 3)],
      attributes: { mode, coordinate_transformation_mode: "align_corners" },
    },
    { op: "Upsample", opset: 7, inputs: [image], attributes: { mode, scales: { floats: [1, 1, 2, 3] } } },
    { op: "Upsample", opset: 9, inputs: [image, floats(1, 1, 2, 1.5)], attributes: { mode } },
  ]),
  {
    op: "Resize",
    opset: 11,
    inputs: [image, floats(), floats(1, 1, 2, 2.5)],
    attributes: { coordinate_transformation_mode: "tf_half_pixel_for_nn", nearest_mode: "floor" },
  },
  {
    op: "Resize",
    opset: 11,
    inputs: [image, floats(0, 0, 0.1, 0.2, 1, 1, 0.9, 0.8), floats(), ints(2, 4, 5, 5)],
    attributes: { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize", extrapolation_value: 0.5 },
  },
  {
    op: "RoiAlign",
    opset: 10,
    inputs: [image, { shape: [2, 4], values: [0, 0, 3, 3, 1, 1, 5, 4] }, ints(0, 1)],
    attributes: { output_height: 3, output_width: 2, sampling_ratio: 2 },
  },
  {
    op: "Scatter",
    opset: 9,
    inputs: [{ shape: [3, 4] }, { shape: [2, 2], dtype: "int64", values: [0, 1, 2, 0] }, { shape: [2, 2] }],
    attributes: { axis: 1 },
  },
  { op: "Slice", opset: 7, inputs: [image], attributes: { starts: [1, -3], ends: [4, 1000], axes: [1, 3] } },
  { op: "Slice", opset: 9, inputs: [image], attributes: { starts: [0, 1], ends: [1, -1] } },
  ...[7, 11].flatMap((opset): OldOperator[] => [
    {
      op: "Split",
      opset,
      inputs: [image],
      attributes: { axis: 3, split: [1, 3, 2] },
      outputs: ["float", "float", "float"],
    },
    { op: "Split", opset, inputs: [image], attributes: { axis: 1 }, outputs: ["float", "float"] },
  ]),
  { op: "Split", opset: 13, inputs: [image], attributes: { axis: 3 }, outputs: ["float", "float"] },
  { op: "Split", opset: 13, inputs: [image, ints(1, 5)], attributes: { axis: 3 }, outputs: ["float", "float"] },
  { op: "Squeeze", opset: 7, inputs: [{ shape: [2, 1, 3, 1] }], attributes: { axes: [1] } },
  { op: "Squeeze", opset: 11, inputs: [{ shape: [2, 1, 3, 1] }], attributes: { axes: [-1] } },
  { op: "Squeeze", opset: 11, inputs: [{ shape: [2, 1, 3, 1] }] },
  { op: "TopK", opset: 7, inputs: [{ shape: [3, 7] }], attributes: { k: 3 }, outputs: ["float", "int64"] },
  { op: "TopK", opset: 9, inputs: [{ shape: [5, 2] }], attributes: { k: 2, axis: 0 }, outputs: ["float", "int64"] },
  { op: "Unsqueeze", opset: 7, inputs: [{ shape: [2, 3] }], attributes: { axes: [0, 2] } },
  { op: "Unsqueeze", opset: 11, inputs: [{ shape: [2, 3] }], attributes: { axes: [-1] } },
];
