/** Cases of tensors with other axes, put together and taken apart. */
import { floats, ints, node, ofType, type TfjsWeight, weight } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

const image = floats([2, 4, 6, 3]);
const pool = node("MaxPool", "pool", ["x"], { ksize: [1, 2, 2, 1], strides: [1, 1, 1, 1], padding: "SAME" });

/** An operator right behind a pool, whose result has its channels second inside. */
const behindPool = (
  op: string,
  what: string,
  weights: readonly TfjsWeight[],
  attributes: Parameters<typeof node>[3] = {},
  outputs: readonly string[] = ["y"],
): TfjsCase =>
  graphCase(
    op,
    `${what}, of an image`,
    { x: image },
    {
      inputs: placeholders({ x: image }),
      weights,
      nodes: [pool, node(op, "y", ["pool", ...weights.map(({ name }) => name)], attributes)],
      outputs,
    },
  );

const int32 = { T: ofType("DT_INT32") };

export const arrangements: readonly TfjsCase[] = [
  nodeCase("Reshape", "to known lengths", { x: floats([2, 6]) }, [ints("shape", [3, 4])]),
  nodeCase("Reshape", "with an open length", { x: floats([2, 6]) }, [ints("shape", [-1, 2, 3])]),
  behindPool("Reshape", "flat", [ints("shape", [-1, 72])]),
  graphCase(
    "Reshape",
    "to a shape with the batch of another tensor",
    { x: image },
    {
      inputs: placeholders({ x: image }),
      weights: [ints("c", 72), ints("at0", [0]), ints("at1", [1])],
      nodes: [
        pool,
        node("Shape", "shape", ["pool"]),
        node("StridedSlice", "batch", ["shape", "at0", "at1", "at1"], { ...int32, shrink_axis_mask: 1 }),
        node("Pack", "target", ["batch", "c"], { ...int32, axis: 0, N: 2 }),
        node("Reshape", "y", ["pool", "target"]),
      ],
      outputs: ["y"],
    },
  ),
  graphCase(
    "Reshape",
    "to a shape with two lengths that are not known",
    { x: floats([4, 6]), t: floats([3, 2], 2) },
    {
      inputs: placeholders({ x: floats([4, 6]), t: floats([3, 2], 2) }),
      weights: [ints("c", 4), ints("at0", [0]), ints("at1", [1])],
      nodes: [
        node("Shape", "shapeX", ["x"]),
        node("Shape", "shapeT", ["t"]),
        node("StridedSlice", "x0", ["shapeX", "at0", "at1", "at1"], { ...int32, shrink_axis_mask: 1 }),
        node("StridedSlice", "t0", ["shapeT", "at0", "at1", "at1"], { ...int32, shrink_axis_mask: 1 }),
        node("Mul", "two", ["x0", "c"], int32),
        node("FloorDiv", "rows", ["two", "t0"], int32),
        node("RealDiv", "odd", ["two", "two"], int32),
        node("Mul", "one", ["rows", "odd"], int32),
        node("Sub", "minus", ["one", "rows"], int32),
        node("AddV2", "columns", ["minus", "c"], int32),
        node("Pack", "target", ["t0", "c", "odd"], { ...int32, axis: 0, N: 3 }),
        node("Fill", "filled", ["target", "columns"], int32),
        node("Pack", "last", ["x0", "columns"], { ...int32, axis: 0, N: 2 }),
        node("Tile", "tiled", ["x", "last"]),
        node("Mean", "y", ["tiled", "at1"]),
      ],
      outputs: ["y", "filled"],
      outputTypes: { filled: "DT_INT32" },
    },
  ),
  nodeCase("Squeeze", "named axes", { x: floats([2, 1, 3, 1]) }, [], { squeeze_dims: [1] }),
  nodeCase("Squeeze", "all axes of length 1", { x: floats([2, 1, 3, 1]) }, [], { squeeze_dims: [] }),
  nodeCase("ExpandDims", "in the middle", { x: floats([2, 3]) }, [ints("axis", 1)]),
  behindPool("ExpandDims", "at the end", [ints("axis", -1)]),
  nodeCase("Transpose", "of three axes", { x: floats([2, 3, 4]) }, [ints("perm", [2, 0, 1])]),
  behindPool("Transpose", "to channels second", [ints("perm", [0, 3, 1, 2])]),
  behindPool("Transpose", "rows and columns", [ints("perm", [0, 2, 1, 3])]),
  nodeCase("BroadcastTo", "to known lengths", { x: floats([2, 1, 3]) }, [ints("shape", [4, 2, 5, 3])]),
  nodeCase("Tile", "of two axes", { x: floats([2, 3]) }, [ints("times", [2, 3])]),
  behindPool("ConcatV2", "with itself", [ints("axis", -1)]),
  graphCase(
    "ConcatV2",
    "channels of images",
    { x: image },
    {
      inputs: placeholders({ x: image }),
      weights: [ints("axis", 3)],
      nodes: [pool, node("ConcatV2", "y", ["pool", "x", "pool", "axis"], { N: 3 })],
      outputs: ["y"],
    },
  ),
  graphCase(
    "Concat",
    "with its axis in front",
    { a: floats([2, 3]), b: floats([2, 2], 2) },
    {
      inputs: placeholders({ a: floats([2, 3]), b: floats([2, 2], 2) }),
      weights: [ints("axis", 1)],
      nodes: [node("Concat", "y", ["axis", "a", "b"], { N: 2 })],
      outputs: ["y"],
    },
  ),
  nodeCase("Pack", "in front", { a: floats([2, 3]), b: floats([2, 3], 2) }, [], { axis: 0, N: 2 }),
  nodeCase("Pack", "at the end", { a: floats([2, 3]), b: floats([2, 3], 2) }, [], { axis: -1, N: 2 }),
  nodeCase("Unpack", "of the last axis", { x: floats([2, 3]) }, [], { axis: 1, num: 3 }, { count: 3 }),
  graphCase(
    "Split",
    "into equal parts",
    { x: image },
    {
      inputs: placeholders({ x: image }),
      weights: [ints("axis", 2)],
      nodes: [
        pool,
        node("Split", "split", ["axis", "pool"], { num_split: 3 }),
        ...[0, 1, 2].map((i) => node("Identity", `y${i}`, [`split:${i}`])),
      ],
      outputs: ["y0", "y1", "y2"],
    },
  ),
  nodeCase(
    "SplitV",
    "into parts of given lengths",
    { x: floats([2, 6]) },
    [ints("sizes", [1, 3, -1]), ints("axis", 1)],
    {
      num_split: 3,
    },
    { count: 3 },
  ),
  nodeCase("Slice", "with an open end", { x: image }, [ints("begin", [0, 1, 2, 0]), ints("size", [-1, 2, 3, 2])]),
  behindPool("Slice", "some rows", [ints("begin", [0, 1, 0, 1]), ints("size", [-1, 3, -1, 2])]),
  ...(
    [
      ["steps", [0, 1, 4, 0], [2, 4, -6, 3], [1, 2, -1, 1], { end_mask: 4, begin_mask: 4 }],
      ["open ends", [0, 1, 0, 0], [0, 3, 0, 0], [1, 1, 2, 1], { begin_mask: 13, end_mask: 13 }],
      ["one row", [0, 2, 0, 0], [0, 3, 0, 0], [1, 1, 1, 1], { begin_mask: 13, end_mask: 13, shrink_axis_mask: 2 }],
      ["the last channel", [0, -1], [0, 0], [1, 1], { ellipsis_mask: 1, shrink_axis_mask: 2 }],
      ["new axes", [0, 0, 1], [0, 0, 3], [1, 1, 1], { begin_mask: 1, end_mask: 1, new_axis_mask: 2 }],
      ["an ellipsis between", [0, 0, 0, 0], [1, 0, 2, 0], [1, 1, 1, 1], { ellipsis_mask: 2, new_axis_mask: 8 }],
    ] as const
  ).flatMap(([what, begin, end, steps, masks]) => {
    const weights = [ints("begin", begin), ints("end", end), ints("steps", steps)];
    return [
      nodeCase("StridedSlice", what, { x: image }, weights, masks),
      behindPool("StridedSlice", what, weights, masks),
    ];
  }),
  nodeCase("ReverseV2", "of two axes", { x: image }, [ints("axes", [1, -1])]),
  behindPool("ReverseV2", "of columns", [ints("axes", [2])]),
  nodeCase("Pad", "with zeros", { x: image }, [ints("widths", [0, 0, 1, 2, 0, 1, 0, 0], [4, 2])]),
  behindPool("PadV2", "with a number", [ints("widths", [0, 0, 1, 2, 0, 1, 2, 0], [4, 2]), weight("filler", [], [0.5])]),
  ...["REFLECT", "SYMMETRIC"].flatMap((mode) => [
    nodeCase("MirrorPad", mode, { x: floats([2, 4, 5]) }, [ints("widths", [0, 0, 2, 1, 1, 3], [3, 2])], { mode }),
    behindPool("MirrorPad", mode, [ints("widths", [0, 0, 1, 2, 2, 1, 0, 0], [4, 2])], { mode }),
  ]),
  nodeCase("GatherV2", "columns", { x: floats([2, 5]) }, [ints("at", [4, 0, 2]), ints("axis", 1)]),
];
