import type { AttributeValue } from "../../support/models.js";
import { type CaseInput, gradientCase, type GradientCase } from "./case.js";

type Words = Readonly<Record<string, AttributeValue>>;

const floats = (values: readonly number[]): CaseInput => ({
  shape: [values.length],
  fixed: { dtype: "float", values },
});
const ints = (values: readonly number[]): CaseInput => ({ shape: [values.length], fixed: { dtype: "int64", values } });

const resize = (
  title: string,
  shape: readonly number[],
  by: { readonly scales: readonly number[] } | { readonly sizes: readonly number[] },
  attributes: Words,
  more: Partial<GradientCase> & { roi?: readonly number[] } = {},
): GradientCase => {
  const { roi, ...rest } = more;
  const scales = "scales" in by ? floats(by.scales) : null;
  const inputs = [{ shape }, roi === undefined ? null : floats(roi), scales, "sizes" in by ? ints(by.sizes) : null];
  return gradientCase("Resize", title, [], {
    inputs: inputs.slice(0, "sizes" in by ? 4 : 3),
    attributes,
    opset: 19,
    ...rest,
  });
};

const places = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"] as const;
const roundings = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const;

const resizeNearest: readonly GradientCase[] = [
  resize(
    "twice as large",
    [2, 3, 4, 5],
    { scales: [1, 1, 2, 2] },
    { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  ),
  resize("three times as wide, sizes", [1, 2, 3, 4], { sizes: [1, 2, 3, 12] }, {}),
  ...places.flatMap((place) =>
    roundings.flatMap((nearest) => [
      resize(
        `${place}, ${nearest}, larger`,
        [1, 2, 4, 5],
        { scales: [1, 1, 1.5, 2.5] },
        { coordinate_transformation_mode: place, nearest_mode: nearest },
      ),
      resize(
        `${place}, ${nearest}, smaller`,
        [1, 2, 7, 8],
        { sizes: [1, 2, 3, 5] },
        { coordinate_transformation_mode: place, nearest_mode: nearest },
      ),
    ]),
  ),
  resize("some axes", [1, 2, 4, 4], { scales: [2, 0.5] }, { axes: [3, -2] }),
  resize("larger and smaller", [1, 2, 6, 6], { scales: [1, 1, 2, 0.5] }, {}),
  resize(
    "1-D",
    [2, 3, 5],
    { scales: [1, 1, 2] },
    { nearest_mode: "floor", coordinate_transformation_mode: "asymmetric" },
  ),
  resize(
    "opset 10",
    [1, 2, 3, 4],
    { scales: [1, 1, 2, 3] },
    {},
    { opset: 10, inputs: [{ shape: [1, 2, 3, 4] }, floats([1, 1, 2, 3])] },
  ),
  resize(
    "crop",
    [1, 1, 6, 6],
    { sizes: [1, 1, 4, 3] },
    { coordinate_transformation_mode: "tf_crop_and_resize" },
    { roi: [0, 0, 0.2, -0.1, 1, 1, 0.8, 0.9] },
  ),
  resize("not larger than", [1, 2, 4, 6], { sizes: [8, 9] }, { axes: [2, 3], keep_aspect_ratio_policy: "not_larger" }),
  resize(
    "not smaller than",
    [1, 2, 4, 6],
    { sizes: [8, 9] },
    { axes: [2, 3], keep_aspect_ratio_policy: "not_smaller" },
  ),
];

const resizeLinear: readonly GradientCase[] = [
  ...places.flatMap((place) => [
    resize(
      `linear, ${place}, larger`,
      [1, 2, 4, 5],
      { scales: [1, 1, 2, 2.5] },
      { mode: "linear", coordinate_transformation_mode: place },
    ),
    resize(
      `linear, ${place}, smaller`,
      [1, 2, 7, 8],
      { sizes: [1, 2, 3, 1] },
      { mode: "linear", coordinate_transformation_mode: place },
    ),
  ]),
  resize(
    "linear, crop",
    [1, 1, 6, 6],
    { sizes: [1, 1, 4, 3] },
    { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize" },
    { roi: [0, 0, 0.2, -0.1, 1, 1, 0.8, 0.9] },
  ),
  resize("linear, 1-D", [1, 1, 5], { scales: [1, 1, 2] }, { mode: "linear" }),
  resize("linear, 3-D", [1, 1, 3, 2, 3], { scales: [1, 1, 2, 1.5, 2] }, { mode: "linear" }),
  resize(
    "linear, opset 11, align_corners",
    [1, 1, 3, 4],
    { scales: [1, 1, 2, 2] },
    { mode: "linear", coordinate_transformation_mode: "align_corners" },
    { opset: 11, inputs: [{ shape: [1, 1, 3, 4] }, floats([]), floats([1, 1, 2, 2])] },
  ),
];

const blocks = (op: string, title: string, shape: readonly number[], attributes: Words): GradientCase =>
  gradientCase(op, title, [shape], { attributes });

const depthToSpace: readonly GradientCase[] = [
  blocks("DepthToSpace", "DCR", [2, 8, 2, 3], { blocksize: 2 }),
  blocks("DepthToSpace", "CRD", [2, 8, 2, 3], { blocksize: 2, mode: "CRD" }),
  blocks("DepthToSpace", "CRD, blocks of three", [1, 9, 2, 2], { blocksize: 3, mode: "CRD" }),
  blocks("SpaceToDepth", "blocks of two", [2, 2, 4, 6], { blocksize: 2 }),
  blocks("SpaceToDepth", "blocks of three", [1, 2, 6, 3], { blocksize: 3 }),
];

export const resampling: readonly GradientCase[] = [...resizeNearest, ...resizeLinear, ...depthToSpace];
