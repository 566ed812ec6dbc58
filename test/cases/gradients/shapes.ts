import { gradientCase, type CaseInput, type GradientCase } from "./case.js";

const ints = (...values: number[]): CaseInput => ({ shape: [values.length], fixed: { dtype: "int64", values } });
const index = (values: readonly number[], ...shape: number[]): CaseInput => ({
  shape,
  fixed: { dtype: "int64", values },
});
const some = (...shape: number[]): CaseInput => ({ shape });
const int32 = (values: readonly number[], ...shape: number[]): CaseInput => ({
  shape,
  fixed: { dtype: "int32", values },
});
const farEnd = 2 ** 40;

export const shapes: readonly GradientCase[] = [
  gradientCase("Reshape", "to a matrix", [], { inputs: [some(2, 3, 4), ints(0, -1)] }),
  gradientCase("Flatten", "the second axis", [[2, 3, 4]]),
  gradientCase("Flatten", "an axis from behind", [[2, 3, 4]], { attributes: { axis: -1 } }),
  gradientCase("Squeeze", "one axis", [], { inputs: [some(2, 1, 3, 1), ints(-1)] }),
  gradientCase("Squeeze", "every axis of one element", [[2, 1, 3, 1]]),
  gradientCase("Squeeze", "axes as an attribute", [[2, 1, 3]], { opset: 11, attributes: { axes: [1] } }),
  gradientCase("Unsqueeze", "two axes", [], { inputs: [some(2, 3), ints(0, -1)] }),
  gradientCase("Unsqueeze", "axes as an attribute", [[2, 3]], { opset: 11, attributes: { axes: [1] } }),
  gradientCase("Transpose", "reversed", [[2, 3, 4]]),
  gradientCase("Transpose", "a cycle", [[2, 3, 4, 2]], { attributes: { perm: [1, 3, 0, 2] } }),
  gradientCase("Expand", "new axes and axes of one", [], { inputs: [some(3, 1), ints(2, 3, 4)] }),
  gradientCase("Tile", "two axes", [], { inputs: [some(2, 3), ints(2, 3)] }),
  gradientCase("Tile", "one axis of three", [], { inputs: [some(2, 3, 2), ints(1, 2, 1)] }),
  gradientCase("Tile", "nothing", [], { inputs: [some(2, 3), ints(1, 1)] }),
  gradientCase(
    "Concat",
    "three parts",
    [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    { attributes: { axis: 1 } },
  ),
  gradientCase(
    "Concat",
    "an axis from behind",
    [
      [2, 3, 4],
      [2, 1, 4],
    ],
    { attributes: { axis: -2 } },
  ),
  gradientCase("Concat", "one part", [[2, 3]], { attributes: { axis: 0 } }),
  gradientCase("Split", "parts of given lengths", [], {
    inputs: [some(2, 6), ints(1, 3, 2)],
    outputs: 3,
    attributes: { axis: -1 },
  }),
  gradientCase("Split", "equal parts", [[4, 3]], { outputs: 2 }),
  gradientCase("Split", "parts that do not come out even", [[7, 2]], {
    opset: 18,
    outputs: 3,
    attributes: { num_outputs: 3 },
  }),
  gradientCase("Split", "lengths as an attribute", [[2, 5]], {
    opset: 11,
    outputs: 2,
    attributes: { axis: 1, split: [2, 3] },
  }),
  gradientCase("Slice", "a part of each axis", [], { inputs: [some(4, 5), ints(1, 0), ints(3, 4)] }),
  gradientCase("Slice", "one axis, counted from behind", [], { inputs: [some(4, 5), ints(-3), ints(-1), ints(-1)] }),
  gradientCase("Slice", "to the end and beyond", [], { inputs: [some(4, 5), ints(2), ints(farEnd), ints(1)] }),
  gradientCase("Slice", "a start before the first element", [], { inputs: [some(4, 5), ints(-9), ints(2), ints(1)] }),
  gradientCase("Slice", "every second element", [], {
    inputs: [some(3, 7), ints(0), ints(farEnd), ints(1), ints(2)],
  }),
  gradientCase("Slice", "every third element of a part, and every second", [], {
    inputs: [some(6, 2, 8), ints(1, 1), ints(6, 8), ints(0, 2), ints(2, 3)],
  }),
  gradientCase("Slice", "reversed", [], { inputs: [some(3, 5), ints(-1), ints(-farEnd), ints(1), ints(-1)] }),
  gradientCase("Slice", "backwards in steps of two", [], {
    inputs: [some(3, 8), ints(6), ints(0), ints(1), ints(-2)],
  }),
  gradientCase("Slice", "backwards from beyond the end, another axis forwards", [], {
    inputs: [some(5, 6), ints(99, 1), ints(1, 5), ints(1, 0), ints(-3, 2)],
  }),
  gradientCase("Slice", "starts and ends as attributes", [[4, 5]], {
    opset: 9,
    attributes: { starts: [1], ends: [-1], axes: [1] },
  }),
  gradientCase("Gather", "rows of a table, some twice", [], {
    inputs: [some(6, 3), index([0, 4, 4, 2, 0, 5, 1, 3, 4, 0], 2, 5)],
  }),
  gradientCase("Gather", "rows by 32-bit indices", [], {
    inputs: [some(6, 3), int32([0, 4, 2, 0, 5, 1, 3, 4, 0], 9)],
  }),
  gradientCase("Gather", "one index without an axis", [], {
    inputs: [some(3, 2, 4), index([1])],
    attributes: { axis: 1 },
  }),
  gradientCase("Gather", "negative indices of the last axis", [], {
    inputs: [some(2, 6), index([-1, 0, -3, 2, -6, 5, 1, -1], 8)],
    attributes: { axis: -1 },
  }),
  gradientCase("Gather", "an axis in the middle, indices of rank 2", [], {
    inputs: [some(2, 5, 3), index([4, 0, 2, 2, 0, 1, 4, 2], 4, 2)],
    attributes: { axis: 1 },
  }),
  gradientCase("Gather", "a reversed axis", [], { inputs: [some(4, 2), index([3, 2, 1, 0], 4)] }),
  gradientCase("Gather", "one element several times", [], { inputs: [some(4, 2), index([2, 2, 2], 3)] }),
  gradientCase("Gather", "two parts that overlap", [], { inputs: [some(5, 2), index([0, 1, 2, 1, 2, 3], 6)] }),
  gradientCase("Pad", "zeros", [], { inputs: [some(2, 3), ints(1, 0, 2, 1)] }),
  gradientCase("Pad", "a fill value that is learned", [], { inputs: [some(2, 3), ints(0, 2, 1, 1), some()] }),
  gradientCase("Pad", "cut on one side", [], { inputs: [some(4, 5), ints(-1, 2, 0, -3)] }),
  gradientCase("Pad", "one axis by name", [], {
    opset: 18,
    inputs: [some(2, 3, 2), ints(1, 2), null, ints(-2)],
  }),
  ...["reflect", "edge"].flatMap((mode) => [
    gradientCase("Pad", `${mode}, both axes`, [], {
      inputs: [some(3, 4), ints(2, 1, 1, 3)],
      attributes: { mode },
    }),
    gradientCase("Pad", `${mode}, the end only, of an image`, [], {
      inputs: [some(1, 2, 3, 3), ints(0, 0, 0, 0, 0, 0, 2, 1)],
      attributes: { mode },
    }),
    gradientCase("Pad", `${mode}, cut at the start`, [], {
      inputs: [some(5, 2), ints(-1, 0, 2, 0)],
      attributes: { mode },
    }),
  ]),
  gradientCase("Pad", "wrap, both axes", [], {
    opset: 19,
    inputs: [some(3, 4), ints(2, 1, 1, 3)],
    attributes: { mode: "wrap" },
  }),
  gradientCase("Pad", "pads as an attribute", [[2, 3]], { opset: 10, attributes: { pads: [0, 1, 0, 2] } }),
];
