/** Cases of elements picked by their places or sizes, and of tensors made of numbers and shapes. */
import { floats, indices, ints, node, ofType, type TensorValue, weight } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

const table = weight("table", [5, 3], floats([15], 2).data);
const int32 = { T: ofType("DT_INT32") };
const at = indices([2, 3], 5);
const truths: TensorValue = { shape: [2, 3], dtype: "bool", data: [1, 0, 1, 0, 1, 0] };

/** Rows of a table at places that are fed. */
const lookup = (op: string): TfjsCase =>
  graphCase(
    op,
    "rows of an embedding",
    { at },
    {
      inputs: placeholders({ at }),
      weights: [table, ints("axis", 0)],
      nodes: [node(op, "y", ["table", "at", ...(op === "GatherV2" ? ["axis"] : [])])],
      outputs: ["y"],
    },
  );

export const picking: readonly TfjsCase[] = [
  lookup("Gather"),
  lookup("GatherV2"),
  nodeCase("GatherV2", "of each example its own", { x: floats([2, 5, 3]), at }, [ints("axis", 1)], { batch_dims: 1 }),
  nodeCase("GatherNd", "rows", { x: floats([2, 3, 4]) }, [ints("at", [0, 1, 1, 2, 0, 0], [3, 2])]),
  graphCase(
    "ScatterNd",
    "twice at one place",
    { u: floats([3, 2]) },
    {
      inputs: placeholders({ u: floats([3, 2]) }),
      weights: [ints("at", [1, 3, 1], [3, 1]), ints("shape", [5, 2])],
      nodes: [node("ScatterNd", "y", ["at", "u", "shape"])],
      outputs: ["y"],
    },
  ),
  nodeCase("TensorScatterUpdate", "of two rows", { x: floats([4, 2]) }, [
    ints("at", [3, 0], [2, 1]),
    weight("u", [2, 2], [1, 2, 3, 4]),
  ]),
  nodeCase(
    "TopKV2",
    "of each row",
    { x: floats([2, 6]) },
    [ints("k", 3)],
    { sorted: true },
    {
      count: 2,
      outputTypes: { y1: "DT_INT32" },
    },
  ),
  nodeCase("Where", "of truths", { x: truths }, []),
  nodeCase(
    "Unique",
    "of whole numbers",
    { x: indices([8], 4) },
    [],
    {},
    {
      count: 2,
      outputTypes: { y0: "DT_INT32", y1: "DT_INT32" },
    },
  ),
  nodeCase("OneHot", "with indices outside", { x: { shape: [2, 3], dtype: "int32", data: [0, 2, -1, 4, 3, 1] } }, [
    ints("depth", 4),
    weight("on", [], [2]),
    weight("off", [], [-1]),
  ]),
  nodeCase("ZerosLike", "of floats", { x: floats([2, 3]) }, []),
  nodeCase("OnesLike", "of whole numbers", { x: at }, []),
  nodeCase("Shape", "with a batch of any length", { x: floats([2, 3, 4]) }, [], {}, { outputTypes: { y: "DT_INT32" } }),
  nodeCase(
    "ShapeN",
    "of two",
    { a: floats([2]), b: floats([3, 2], 2) },
    [],
    {},
    {
      count: 2,
      outputTypes: { y0: "DT_INT32", y1: "DT_INT32" },
    },
  ),
  nodeCase("Size", "with a batch of any length", { x: floats([2, 3]) }, [], {}, { outputTypes: { y: "DT_INT32" } }),
  nodeCase("Rank", "of three axes", { x: floats([2, 3, 1]) }, [], {}, { outputTypes: { y: "DT_INT32" } }),
  graphCase(
    "Fill",
    "of a shape with the batch",
    { x: floats([2, 3]) },
    {
      inputs: placeholders({ x: floats([2, 3]) }),
      weights: [weight("value", [], [0.5])],
      nodes: [
        node("Shape", "shape", ["x"]),
        node("Fill", "filled", ["shape", "value"]),
        node("AddV2", "y", ["x", "filled"]),
      ],
      outputs: ["y"],
    },
  ),
  graphCase(
    "Range",
    "up to the batch",
    { x: floats([4, 3]) },
    {
      inputs: placeholders({ x: floats([4, 3]) }),
      weights: [ints("at0", [0]), ints("at1", [1]), ints("start", 0), ints("step", 1)],
      nodes: [
        node("Shape", "shape", ["x"]),
        node("StridedSlice", "batch", ["shape", "at0", "at1", "at1"], { ...int32, shrink_axis_mask: 1 }),
        node("Range", "y", ["start", "batch", "step"], { Tidx: ofType("DT_INT32") }),
      ],
      outputs: ["y"],
      outputTypes: { y: "DT_INT32" },
    },
  ),
  graphCase(
    "LinSpace",
    "of constants",
    { x: floats([2, 5]) },
    {
      inputs: placeholders({ x: floats([2, 5]) }),
      weights: [weight("a", [], [-1]), weight("b", [], [2]), ints("n", 5)],
      nodes: [node("LinSpace", "line", ["a", "b", "n"]), node("AddV2", "y", ["x", "line"])],
      outputs: ["y"],
    },
  ),
];
