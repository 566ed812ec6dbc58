import type { AttributeValue } from "../../support/models.js";
import { gradientCase, type GradientCase } from "./case.js";

const one = (
  title: string,
  x: readonly number[],
  w: readonly number[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  bias: readonly number[] | null = null,
): GradientCase => gradientCase("ConvTranspose", title, bias === null ? [x, w] : [x, w, bias], { attributes });

export const convTranspose: readonly GradientCase[] = [
  one("plain", [2, 3, 4, 5], [3, 4, 3, 3]),
  one("bias", [2, 3, 4, 5], [3, 4, 3, 3], {}, [4]),
  one("doubles both lengths", [2, 3, 4, 5], [3, 4, 2, 2], { strides: [2, 2] }),
  one("stride, pads", [2, 3, 4, 5], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  one("uneven pads", [1, 3, 4, 5], [3, 2, 3, 4], { strides: [2, 3], pads: [0, 2, 1, 1] }),
  one("output padding", [2, 3, 4, 5], [3, 2, 3, 3], { strides: [2, 3], pads: [1, 1, 1, 1], output_padding: [1, 2] }),
  one("output padding without pads", [1, 2, 3, 3], [2, 2, 2, 2], { strides: [3, 3], output_padding: [2, 1] }),
  one("dilation", [1, 2, 4, 4], [2, 3, 3, 2], { dilations: [2, 3], pads: [1, 0, 1, 0] }),
  one("one tap", [2, 3, 4, 4], [3, 4, 1, 1]),
  one("one tap, stride", [2, 3, 4, 4], [3, 4, 1, 1], { strides: [2, 2] }),
  one("groups", [2, 4, 4, 4], [4, 3, 3, 3], { group: 2, strides: [2, 2] }, [6]),
  one("depthwise", [2, 8, 4, 4], [8, 1, 4, 4], { group: 8, strides: [2, 2], pads: [1, 1, 1, 1] }),
  one("keeps 10 x 10 places", [2, 2, 10, 10], [2, 3, 3, 3], { pads: [1, 1, 1, 1] }),
  one("output shape", [1, 2, 4, 4], [2, 2, 3, 3], { strides: [2, 2], output_shape: [8, 8] }),
  one("output shape, odd pads", [1, 2, 4, 4], [2, 2, 4, 4], { strides: [2, 2], output_shape: [7, 9] }),
  one("output shape, wider than natural", [1, 2, 4, 4], [2, 2, 3, 3], { strides: [2, 2], output_shape: [10, 9] }),
  one("SAME_UPPER", [1, 2, 4, 4], [2, 2, 3, 4], { strides: [2, 3], auto_pad: "SAME_UPPER" }),
  one("SAME_LOWER", [1, 2, 4, 4], [2, 2, 3, 4], { strides: [2, 3], auto_pad: "SAME_LOWER" }),
  one("SAME_UPPER, output shape", [1, 2, 4, 4], [2, 2, 4, 4], {
    strides: [2, 2],
    auto_pad: "SAME_UPPER",
    output_shape: [7, 9],
  }),
  one("VALID", [1, 2, 4, 4], [2, 2, 3, 4], { strides: [2, 3], auto_pad: "VALID" }),
  one("1-D", [2, 3, 5], [3, 2, 4], { strides: [2], pads: [1, 1] }, [2]),
  one("1-D, groups, dilation, output padding", [1, 4, 5], [4, 1, 3], {
    group: 2,
    strides: [3],
    dilations: [2],
    output_padding: [1],
  }),
  one("3-D", [1, 2, 3, 3, 3], [2, 2, 2, 3, 2], { strides: [2, 1, 2], pads: [0, 1, 0, 0, 1, 0] }),
  one("3-D, depthwise", [1, 4, 3, 3, 3], [4, 1, 2, 2, 2], { group: 4, strides: [2, 2, 2] }),
];
