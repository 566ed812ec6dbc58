/** Cases of sums, means and extremes over axes. */
import { floats, indices, ints, node, type TensorValue } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

const x = floats([2, 4, 3, 5]);
const truths: TensorValue = { shape: [2, 3], dtype: "bool", data: [1, 1, 1, 0, 1, 0] };

/** Over what a convolution's order of axes is: a pool makes it so. */
const behindPool = (op: string, axes: readonly number[], keep: boolean): TfjsCase =>
  graphCase(
    op,
    `over [${axes.join()}] of an image${keep ? ", axes kept" : ""}`,
    { x },
    {
      inputs: placeholders({ x }),
      weights: [ints("axes", axes)],
      nodes: [
        node("MaxPool", "pool", ["x"], { ksize: [1, 2, 2, 1], strides: [1, 1, 1, 1], padding: "SAME" }),
        node(op, "y", ["pool", "axes"], { keep_dims: keep }),
      ],
      outputs: ["y"],
    },
  );

export const reductions: readonly TfjsCase[] = [
  ...["EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"].flatMap((op) => [
    nodeCase(op, "over one axis", { x }, [ints("axis", -1)]),
    nodeCase(op, "axes kept", { x }, [ints("axes", [1, 2])], { keep_dims: true }),
  ]),
  ...(
    [
      [[1, 2], false],
      [[1, 2], true],
      [[3], false],
      [[-1], true],
      [[1], false],
      [[0, 1, 2, 3], false],
    ] as const
  ).map(([axes, keep]) => behindPool("Mean", axes, keep)),
  ...["Max", "Mean", "Sum"].map((op) =>
    nodeCase(op, "of whole numbers", { x: indices([2, 3], 9) }, [ints("axes", [1])]),
  ),
  ...["All", "Any"].map((op) => nodeCase(op, "of truths", { x: truths }, [ints("axes", [1])])),
  ...["ArgMax", "ArgMin"].flatMap((op) => [
    nodeCase(op, "along the last axis", { x }, [ints("axis", -1)]),
    nodeCase(op, "of equal numbers", { x: { ...floats([2, 3]), data: [1, 1, 0, 2, 0, 0] } }, [ints("axis", 1)]),
  ]),
  nodeCase("Cumsum", "plain", { x }, [ints("axis", 1)]),
  nodeCase("Cumsum", "exclusive, from the end", { x }, [ints("axis", 2)], { exclusive: true, reverse: true }),
];
