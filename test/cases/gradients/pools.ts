import type { AttributeValue } from "../../support/models.js";
import { gradientCase, type GradientCase } from "./case.js";

type Shape = readonly number[];
type Words = Readonly<Record<string, AttributeValue>>;

const maximum = (title: string, shape: Shape, attributes: Words, more: Partial<GradientCase> = {}): GradientCase =>
  gradientCase("MaxPool", title, [], { inputs: [{ shape, draw: "apart" }], attributes, ...more });

const maxPool: readonly GradientCase[] = [
  maximum("tiles", [2, 3, 6, 8], { kernel_shape: [2, 2], strides: [2, 2] }),
  maximum("overlapping, pads", [2, 3, 7, 7], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  maximum("stride 1", [1, 2, 5, 6], { kernel_shape: [3, 2] }),
  maximum("uneven pads", [1, 2, 5, 6], { kernel_shape: [3, 3], strides: [2, 1], pads: [0, 1, 2, 0] }),
  maximum("ceil_mode", [1, 2, 6, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  maximum("dilation", [1, 2, 8, 8], { kernel_shape: [2, 3], dilations: [3, 2] }),
  maximum("SAME_UPPER", [1, 2, 6, 7], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  maximum("1-D", [2, 3, 9], { kernel_shape: [3], strides: [2], pads: [1, 1] }),
  maximum("3-D", [1, 2, 4, 5, 4], { kernel_shape: [2, 3, 2], strides: [2, 1, 2] }),
  maximum("Indices asked for", [2, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }, { outputs: 2 }),
  maximum("opset 8", [2, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }, { opset: 8 }),
];

const average = (title: string, shape: Shape, attributes: Words, more: Partial<GradientCase> = {}): GradientCase =>
  gradientCase("AveragePool", title, [shape], { attributes, ...more });

const averagePool: readonly GradientCase[] = [
  average("tiles", [2, 3, 6, 8], { kernel_shape: [2, 4], strides: [2, 4] }),
  average("stride 1", [2, 3, 6, 7], { kernel_shape: [3, 2] }),
  average("stride 1, pads", [2, 3, 6, 7], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  average("stride 1, pads that count", [2, 3, 6, 7], {
    kernel_shape: [3, 3],
    pads: [1, 0, 2, 1],
    count_include_pad: 1,
  }),
  average("stride 2, rows left over", [2, 3, 8, 9], { kernel_shape: [3, 2], strides: [2, 3] }),
  average("stride 2, pads", [1, 2, 7, 8], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 2] }),
  average("stride 2, pads that count", [1, 2, 7, 7], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    count_include_pad: 1,
  }),
  average("ceil_mode", [1, 2, 6, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  average(
    "ceil_mode, pads",
    [1, 2, 6, 6],
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
    { opset: 19 },
  ),
  average(
    "ceil_mode, pads that count",
    [1, 2, 6, 6],
    {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
      count_include_pad: 1,
    },
    { opset: 19 },
  ),
  average("dilation", [1, 2, 8, 8], { kernel_shape: [2, 3], dilations: [3, 2], pads: [1, 0, 0, 1] }, { opset: 19 }),
  average("SAME_UPPER", [1, 2, 6, 7], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  average("SAME_LOWER, pads that count", [1, 2, 6, 7], {
    kernel_shape: [2, 3],
    auto_pad: "SAME_LOWER",
    count_include_pad: 1,
  }),
  average("VALID", [1, 2, 6, 7], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "VALID" }),
  average("one element", [1, 2, 5, 5], { kernel_shape: [1, 1], strides: [2, 2] }),
  average("1-D", [2, 3, 9], { kernel_shape: [3], strides: [2], pads: [1, 1] }),
  average("1-D, tiles", [2, 3, 8], { kernel_shape: [4], strides: [4] }),
  average("3-D", [1, 2, 4, 5, 4], { kernel_shape: [2, 3, 2], strides: [2, 1, 2] }),
  average("3-D, stride 1", [1, 2, 4, 4, 4], { kernel_shape: [2, 3, 2], pads: [0, 1, 0, 1, 1, 1] }),
  average("opset 7", [1, 2, 6, 6], { kernel_shape: [2, 2], strides: [2, 2] }, { opset: 7 }),
];

const globalPool: readonly GradientCase[] = [
  gradientCase("GlobalAveragePool", "images", [[2, 3, 4, 5]]),
  gradientCase("GlobalAveragePool", "1-D", [[2, 3, 5]]),
  gradientCase("GlobalAveragePool", "3-D", [[1, 2, 2, 3, 2]]),
  ...[
    [2, 3, 4, 5],
    [2, 3, 5],
    [1, 2, 2, 3, 2],
  ].map((shape) => gradientCase("GlobalMaxPool", `${shape.length - 2}-D`, [], { inputs: [{ shape, draw: "apart" }] })),
];

export const pools: readonly GradientCase[] = [...maxPool, ...averagePool, ...globalPool];
