/** Cases of images in another size, and of pixels dealt out. */
import { floats, ints, node, ofType } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

const x = floats([2, 4, 5, 3]);
const int32 = { T: ofType("DT_INT32") };

/** Where the pixels of the result lie. */
const manners: readonly (readonly [string, Readonly<Record<string, boolean>>])[] = [
  ["", {}],
  [", corners aligned", { align_corners: true }],
  [", half-pixel centres", { half_pixel_centers: true }],
];
const sizes: readonly (readonly [string, readonly number[]])[] = [
  ["larger", [9, 10]],
  ["smaller", [3, 2]],
];

export const images: readonly TfjsCase[] = [
  ...["ResizeBilinear", "ResizeNearestNeighbor"].flatMap((op) =>
    manners.flatMap(([how, attributes]) =>
      sizes.map(([what, size]) => nodeCase(op, `${what}${how}`, { x }, [ints("size", size)], attributes)),
    ),
  ),
  graphCase(
    "ResizeBilinear",
    "to a size that is computed",
    { x, t: floats([9, 3], 2) },
    {
      inputs: placeholders({ x, t: floats([9, 3], 2) }),
      weights: [ints("at0", [0]), ints("at1", [1]), ints("c", 7)],
      nodes: [
        node("Shape", "shape", ["t"]),
        node("StridedSlice", "rows", ["shape", "at0", "at1", "at1"], { ...int32, shrink_axis_mask: 1 }),
        node("Pack", "size", ["rows", "c"], { ...int32, axis: 0, N: 2 }),
        node("ResizeBilinear", "y", ["x", "size"]),
      ],
      outputs: ["y"],
    },
  ),
  nodeCase("DepthToSpace", "blocks of 2", { x: floats([2, 2, 3, 8]) }, [], { block_size: 2, data_format: "NHWC" }),
  nodeCase("SpaceToBatchND", "with padding", { x: floats([2, 3, 4, 2]) }, [
    ints("block", [2, 2]),
    ints("widths", [0, 1, 2, 0], [2, 2]),
  ]),
  nodeCase("BatchToSpaceND", "with crops", { x: floats([8, 2, 3, 2]) }, [
    ints("block", [2, 2]),
    ints("widths", [0, 1, 1, 0], [2, 2]),
  ]),
];
