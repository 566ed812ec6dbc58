/** Cases of functions of each element, of one tensor or of several that are broadcast. */
import {
  floats,
  indices,
  ints,
  node,
  ofType,
  placeholder,
  type TensorValue,
  weight,
} from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

/** `floats` after a function of each element. */
const mapped = (shape: readonly number[], f: (x: number) => number, seed = 1): TensorValue => {
  const { data } = floats(shape, seed);
  return { shape, dtype: "float32", data: Float32Array.from(data, f) };
};

const whole = (shape: readonly number[], values: readonly number[]): TensorValue => ({
  shape,
  dtype: "int32",
  data: Int32Array.from(values),
});

const truths = (shape: readonly number[], values: readonly number[]): TensorValue => ({
  shape,
  dtype: "bool",
  data: Uint8Array.from(values),
});

const shape = [2, 3, 2] as const;

/** Functions of real numbers, with what they are defined for. */
const functions: readonly (readonly [string, (x: number) => number])[] = [
  ...[
    ..."Abs Asinh Atan Ceil Cos Cosh Elu Erf Exp Expm1 Floor Neg Relu Relu6 Round Selu Sigmoid Sign Sin Sinh".split(
      " ",
    ),
    ..."Softplus Square Tan Tanh LogSoftmax Softmax".split(" "),
  ].map((op) => [op, (x: number) => 2 * x] as const),
  ...["Acos", "Asin", "Atanh"].map((op) => [op, (x: number) => Math.tanh(x) * 0.9] as const),
  ["Acosh", (x) => 1.1 + Math.abs(x)],
  ...["Log", "Log1p", "Reciprocal", "Rsqrt", "Sqrt"].map((op) => [op, (x: number) => 0.2 + Math.abs(x)] as const),
];

const floatPairs = "Add AddV2 Atan2 Div DivNoNan FloorDiv Maximum Minimum Mul RealDiv SquaredDifference Sub".split(" ");
const comparisons = "Equal Greater GreaterEqual Less LessEqual NotEqual".split(" ");

const [left, right] = [whole([7], [7, -7, 7, -7, 6, 0, 3]), whole([7], [2, 2, -2, -2, 3, 5, 3])];

export const arithmetic: readonly TfjsCase[] = [
  ...functions.map(([op, f]) => nodeCase(op, "of floats", { x: mapped(shape, f) }, [])),
  nodeCase("Softmax", "of a list for each example", { x: floats([3, 5]) }, []),
  nodeCase("LeakyRelu", "with its slope", { x: floats(shape) }, [], { alpha: 0.3 }),
  nodeCase("Prelu", "one slope a channel", { x: floats(shape) }, [weight("w", [2], [0.1, 0.4])]),
  nodeCase("ClipByValue", "of floats", { x: floats(shape) }, [weight("a", [], [-0.5]), weight("b", [], [0.7])]),
  ...["IsNan", "IsInf", "IsFinite"].map((op) =>
    nodeCase(op, "of odd numbers", { x: { shape: [4], dtype: "float32", data: [NaN, Infinity, -Infinity, 1] } }, []),
  ),
  ...["Abs", "Neg", "Sign", "Square", "Relu", "Exp"].map((op) =>
    nodeCase(op, "of whole numbers", { x: whole([4], [0, 1, -4, 2]) }, []),
  ),
  ...floatPairs.map((op) => nodeCase(op, "broadcast", { a: floats([2, 3, 1, 2]), b: floats([3, 2, 1], 2) }, [])),
  nodeCase("Pow", "of floats", { a: mapped([2, 3], Math.abs), b: floats([3], 2) }, []),
  ...["FloorMod", "Mod"].map((op) =>
    nodeCase(op, "of floats", { a: floats([2, 6]), b: mapped([6], (x) => x + 2, 3) }, []),
  ),
  ...["AddV2", "FloorDiv", "FloorMod", "Maximum", "Minimum", "Mul", "RealDiv", "Sub"].map((op) =>
    nodeCase(op, "of whole numbers", { a: left, b: right }, []),
  ),
  nodeCase("AddN", "of three", { a: floats(shape), b: floats(shape, 2), c: floats(shape, 3) }, []),
  nodeCase("BiasAdd", "alone", { x: floats([2, 3, 4, 5]) }, [weight("b", [5], [1, 2, 3, 4, 5])]),
  ...comparisons.flatMap((op) => [
    nodeCase(op, "of floats", { a: floats([2, 3]), b: floats([3], 2) }, []),
    nodeCase(op, "of whole numbers", { a: left, b: right }, []),
  ]),
  ...["LogicalAnd", "LogicalOr"].map((op) =>
    nodeCase(op, "of truths", { a: truths([4], [0, 0, 1, 1]), b: truths([4], [0, 1, 0, 1]) }, []),
  ),
  nodeCase("LogicalNot", "of truths", { a: truths([2], [0, 1]) }, []),
  ...["Select", "SelectV2"].map((op) =>
    nodeCase(op, "between floats", { c: truths([2, 2], [0, 1, 1, 0]), a: floats([2, 2]), b: floats([2, 2], 2) }, []),
  ),
  nodeCase("SelectV2", "broadcast", { c: truths([2, 1], [0, 1]), a: floats([2, 3]), b: floats([3], 2) }, []),
  nodeCase(
    "SelectV2",
    "between truths",
    { c: truths([2], [0, 1]), a: truths([2], [1, 1]), b: truths([2], [0, 0]) },
    [],
  ),
  nodeCase("Cast", "floats to whole numbers", { x: mapped([5], (x) => 3 * x) }, [], { DstT: ofType("DT_INT32") }),
  nodeCase("Cast", "floats to truths", { x: { shape: [3], dtype: "float32", data: [0, 0.5, -2] } }, [], {
    DstT: ofType("DT_BOOL"),
  }),
  nodeCase("Cast", "whole numbers to floats", { x: indices([5], 9) }, [], { DstT: ofType("DT_FLOAT") }),
  nodeCase("Cast", "truths to floats", { x: truths([2], [0, 1]) }, [], { DstT: ofType("DT_FLOAT") }),
  ...["Identity", "Snapshot", "StopGradient"].map((op) => nodeCase(op, "of floats", { x: floats([2, 2]) }, [])),
  nodeCase("IdentityN", "of two", { a: floats([2]), b: floats([3], 2) }, [], {}, { count: 2 }),
  graphCase(
    "PlaceholderWithDefault",
    "not fed",
    { x: floats([2, 3]) },
    {
      inputs: placeholders({ x: floats([2, 3]) }),
      weights: [weight("d", [3], [1, 2, 3])],
      nodes: [{ ...placeholder("p", [3]), op: "PlaceholderWithDefault", input: ["d"] }, node("AddV2", "y", ["x", "p"])],
      outputs: ["y"],
    },
  ),
  graphCase(
    "ClipByValue",
    "of whole numbers",
    { x: left },
    {
      inputs: placeholders({ x: left }),
      weights: [ints("a", -3), ints("b", 5)],
      nodes: [node("ClipByValue", "y", ["x", "a", "b"], { T: ofType("DT_INT32") })],
      outputs: ["y"],
    },
  ),
];
