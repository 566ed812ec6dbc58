import type { AttributeValue } from "../../support/models.js";
import { gradientCase, type GradientCase } from "./case.js";

type Shape = readonly number[];

const one = (
  title: string,
  x: Shape,
  w: Shape,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  more: Partial<GradientCase> = {},
): GradientCase => gradientCase("Conv", title, [x, w], { attributes, ...more });

const withBias = (
  title: string,
  x: Shape,
  w: Shape,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): GradientCase => gradientCase("Conv", title, [x, w, [w[0]!]], { attributes });

/** All cases of Conv. Lengths are small; where a form is chosen by size, the case says so. */
const conv1d: readonly GradientCase[] = [
  one("1-D", [2, 3, 9], [4, 3, 3]),
  withBias("1-D, bias, pads", [2, 3, 9], [4, 3, 3], { pads: [1, 1] }),
  one("1-D, stride, uneven pads", [2, 3, 10], [4, 3, 3], { strides: [2], pads: [0, 2] }),
  one("1-D, dilation", [2, 2, 12], [3, 2, 3], { dilations: [3], pads: [2, 2] }),
  one("1-D, one tap", [2, 3, 7], [4, 3, 1]),
  one("1-D, depthwise", [2, 8, 9], [8, 1, 3], { group: 8, pads: [1, 1] }),
  one("1-D, depthwise, causal, dilation", [1, 16, 11], [16, 1, 3], { group: 16, dilations: [2], pads: [4, 0] }),
  one("1-D, groups, stride", [2, 4, 11], [6, 2, 3], { group: 2, strides: [3], pads: [1, 0] }),
];

const conv2d: readonly GradientCase[] = [
  one("plain", [2, 3, 6, 7], [4, 3, 3, 3]),
  withBias("bias", [2, 3, 6, 7], [4, 3, 3, 3]),
  one("pads", [2, 3, 6, 7], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }),
  one("uneven pads", [2, 2, 6, 7], [3, 2, 3, 2], { pads: [0, 1, 2, 0] }),
  one("pads wider than the kernel reaches", [1, 2, 4, 4], [3, 2, 2, 2], { pads: [3, 2, 2, 3] }),
  one("stride", [2, 3, 8, 9], [4, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  one("uneven strides", [2, 2, 9, 9], [3, 2, 3, 3], { strides: [3, 1] }),
  one("stride that leaves rows over", [1, 2, 8, 10], [3, 2, 2, 3], { strides: [3, 4] }),
  one("stride wider than the kernel", [1, 2, 9, 9], [3, 2, 2, 2], { strides: [3, 3] }),
  one("dilation", [2, 2, 9, 9], [3, 2, 3, 3], { dilations: [2, 3], pads: [2, 3, 2, 3] }),
  one("dilation and stride", [2, 2, 11, 11], [3, 2, 3, 3], { dilations: [2, 2], strides: [2, 3], pads: [1, 1, 1, 1] }),
  one("one row of taps", [2, 3, 6, 7], [4, 3, 1, 5], { pads: [0, 2, 0, 2] }),
  one("one tap", [2, 3, 5, 6], [4, 3, 1, 1]),
  withBias("one tap, more channels than maps, bias", [2, 6, 5, 6], [3, 6, 1, 1]),
  one("one tap, stride", [2, 3, 7, 6], [4, 3, 1, 1], { strides: [2, 2] }),
  one("one tap, pads", [2, 3, 5, 6], [4, 3, 1, 1], { pads: [1, 0, 0, 1] }),
  one("one tap, one sample, many places", [1, 2, 21, 20], [3, 2, 1, 1]),
  one("one tap, many places", [2, 2, 21, 20], [3, 2, 1, 1]),
  one("one tap, groups", [2, 6, 5, 5], [4, 3, 1, 1], { group: 2 }),
  one("patches", [2, 3, 8, 12], [5, 3, 4, 4], { strides: [4, 4] }),
  one("patches, groups", [2, 4, 6, 6], [4, 2, 3, 2], { strides: [3, 2], group: 2 }),
  one("the kernel covers the image", [2, 3, 5, 5], [4, 3, 5, 5]),
  one("keeps 10 x 11 places, three by three", [2, 2, 10, 11], [3, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  one("keeps 10 x 10 places, one sample", [1, 2, 10, 10], [3, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  one("keeps 20 x 21 places, three by three", [2, 2, 20, 21], [3, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  one("keeps 20 x 20 places, dilation", [1, 2, 20, 20], [2, 2, 3, 3], { pads: [2, 3, 2, 3], dilations: [2, 3] }),
  one("blocks of channels, many places", [1, 16, 39, 39], [16, 16, 2, 3], { pads: [0, 1, 1, 1] }),
  one("blocks of channels in groups, dilation", [1, 32, 39, 39], [32, 16, 3, 1], {
    group: 2,
    dilations: [2, 1],
    pads: [2, 0, 2, 0],
  }),
  one("many places, five by five", [2, 2, 20, 20], [2, 2, 5, 5], { pads: [2, 2, 2, 2] }),
  one("groups", [2, 4, 6, 6], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  one("groups, one channel each, two maps", [2, 3, 6, 6], [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  one("groups, one map each", [2, 6, 6, 6], [3, 2, 3, 3], { group: 3, strides: [2, 2] }),
  one("depthwise", [2, 8, 6, 7], [8, 1, 3, 3], { group: 8, pads: [1, 1, 1, 1] }),
  withBias("depthwise, bias", [2, 8, 6, 7], [8, 1, 3, 3], { group: 8 }),
  one("depthwise, stride", [1, 16, 7, 8], [16, 1, 3, 3], { group: 16, strides: [2, 2], pads: [1, 1, 1, 1] }),
  one("depthwise, stride that leaves rows over", [2, 8, 8, 9], [8, 1, 2, 3], { group: 8, strides: [3, 4] }),
  one("depthwise, dilation, uneven pads", [2, 8, 8, 8], [8, 1, 3, 3], {
    group: 8,
    dilations: [2, 1],
    pads: [0, 1, 3, 0],
  }),
  one("depthwise, blocks do not fit", [1, 3, 6, 6], [3, 1, 3, 3], { group: 3 }),
  one("depthwise, one tap", [2, 8, 4, 4], [8, 1, 1, 1], { group: 8 }),
];

const convAutoPad: readonly GradientCase[] = (["SAME_UPPER", "SAME_LOWER", "VALID"] as const).flatMap((pad) => [
  one(pad, [2, 2, 6, 7], [3, 2, 4, 3], { auto_pad: pad }),
  one(`${pad}, stride`, [2, 2, 7, 8], [3, 2, 3, 4], { auto_pad: pad, strides: [2, 3] }),
  one(`${pad}, depthwise`, [1, 8, 7, 8], [8, 1, 2, 3], { auto_pad: pad, strides: [2, 2], group: 8 }),
  one(`${pad}, 1-D`, [1, 2, 8], [3, 2, 4], { auto_pad: pad }),
]);

const conv3d: readonly GradientCase[] = [
  one("3-D", [2, 2, 4, 5, 4], [3, 2, 3, 2, 3]),
  withBias("3-D, bias, pads", [1, 2, 4, 4, 4], [3, 2, 3, 3, 3], { pads: [1, 1, 1, 1, 1, 1] }),
  one("3-D, stride, uneven pads", [1, 2, 5, 5, 6], [3, 2, 3, 3, 2], { strides: [2, 1, 3], pads: [1, 0, 0, 1, 2, 1] }),
  one("3-D, dilation, groups", [1, 4, 5, 5, 5], [4, 2, 2, 2, 2], { dilations: [2, 3, 1], group: 2 }),
  one("3-D, depthwise", [2, 4, 4, 4, 4], [4, 1, 3, 3, 3], { group: 4, pads: [1, 1, 1, 1, 1, 1] }),
  one("3-D, one tap", [2, 3, 3, 3, 3], [4, 3, 1, 1, 1]),
  one("3-D, patches", [1, 2, 4, 4, 4], [3, 2, 2, 2, 2], { strides: [2, 2, 2] }),
];

const fused = { op: "FusedConv", domain: "com.microsoft", order: 2 } as const;

const fusedConv: readonly GradientCase[] = [
  {
    ...fused,
    title: "Relu that holds back every other map",
    inputs: [
      { shape: [2, 3, 6, 6], draw: "positive" },
      { shape: [4, 3, 3, 3], draw: "positive" },
      { shape: [4], fixed: { dtype: "float", values: [-500, 0, -500, 0] } },
    ],
    attributes: { activation: "Relu", pads: [1, 1, 1, 1] },
  },
  {
    ...fused,
    title: "addend",
    inputs: [[1, 2, 5, 5], [3, 2, 3, 3], [3], [1, 3, 3, 3]].map((shape) => ({ shape, draw: "positive" })),
    attributes: { activation: "Relu" },
  },
];

export const conv: readonly GradientCase[] = [...conv1d, ...conv2d, ...convAutoPad, ...conv3d, ...fusedConv];
