/**
 * Small graphs and the flow R of their linear networks, computed by hand: input `x` is [1, 4], all ones, unless a case
 * says otherwise; `y` is the output; W is [4, 4] with elements ±0.5, so that |W| maps ones to twos.
 */
import type { NodeProto, TensorProto } from "onnx-buf";
import { node, tensor } from "../support/models.js";

export interface LinearCase {
  readonly title: string;
  readonly nodes: readonly NodeProto[];
  readonly constants?: readonly TensorProto[];
  readonly shape?: readonly number[];
  readonly dtype?: "float" | "int64";
  readonly flow: number;
  /** Why W has no score; null where it has one. */
  readonly reason?: string;
}

const scalar = (name: string, number: number): TensorProto => tensor(name, "float", [], [number]);
const list = (name: string, numbers: readonly number[]): TensorProto =>
  tensor(name, "float", [numbers.length], numbers);
const ints = (name: string, numbers: readonly number[]): TensorProto =>
  tensor(name, "int64", [numbers.length], numbers);
/** W first: h = |W| x, which is 2 everywhere. */
const first = node("MatMul", ["x", "W"], ["h"]);

const gate = "it only feeds a gate, which SynFlow holds constant";
const average = "it only feeds the weights of an average, which SynFlow takes as equal";

export const linearCases: readonly LinearCase[] = [
  { title: "an activation is the identity", nodes: [first, node("Tanh", ["h"], ["y"])], flow: 8 },
  {
    title: "a bias and a shift are 0",
    nodes: [node("Gemm", ["x", "W", "c"], ["h"]), node("Sub", ["c", "h"], ["y"])],
    constants: [list("c", [5, 6, 7, 8])],
    flow: 8,
  },
  {
    title: "a factor c is |c|, a divisor 1 / |c|",
    nodes: [first, node("Mul", ["c", "h"], ["a"]), node("Div", ["a", "d"], ["y"])],
    constants: [list("c", [-1, 2, -3, 4]), scalar("d", -2)],
    flow: 10,
  },
  {
    title: "a difference of two paths is their sum",
    nodes: [first, node("Relu", ["h"], ["a"]), node("Sub", ["a", "x"], ["y"])],
    flow: 12,
  },
  {
    title: "SiLU in parts",
    nodes: [first, node("Sigmoid", ["h"], ["s"]), node("Mul", ["h", "s"], ["y"])],
    flow: 8,
  },
  {
    title: "GELU in parts, by Erf",
    nodes: [
      first,
      node("Div", ["h", "root"], ["a"]),
      node("Erf", ["a"], ["e"]),
      node("Add", ["e", "one"], ["o"]),
      node("Mul", ["h", "o"], ["m"]),
      node("Mul", ["m", "half"], ["y"]),
    ],
    constants: [scalar("root", Math.SQRT2), scalar("one", 1), scalar("half", 0.5)],
    flow: 8,
  },
  {
    title: "HardSwish in parts, by Clip",
    nodes: [
      first,
      node("Add", ["h", "three"], ["a"]),
      node("Clip", ["a", "zero", "six"], ["c"]),
      node("Mul", ["c", "h"], ["m"]),
      node("Div", ["m", "six"], ["y"]),
    ],
    constants: [scalar("zero", 0), scalar("three", 3), scalar("six", 6)],
    flow: 8,
  },
  {
    title: "a gate is held open, and what makes it has no score",
    nodes: [first, node("Sigmoid", ["h"], ["s"]), node("Mul", ["s", "x"], ["y"])],
    flow: 4,
    reason: gate,
  },
  {
    title: "of two bounded factors the one that cannot be negative is the gate",
    nodes: [first, node("Sigmoid", ["h"], ["s"]), node("Tanh", ["x"], ["t"]), node("Mul", ["s", "t"], ["y"])],
    flow: 4,
    reason: gate,
  },
  {
    title: "LayerNormalization in parts is |γ|",
    nodes: [
      first,
      node("ReduceMean", ["h", "axes"], ["mean"], { keepdims: 1 }),
      node("Sub", ["h", "mean"], ["centred"]),
      node("Pow", ["centred", "two"], ["square"]),
      node("ReduceMean", ["square", "axes"], ["variance"], { keepdims: 1 }),
      node("Add", ["variance", "epsilon"], ["v"]),
      node("Sqrt", ["v"], ["deviation"]),
      node("Div", ["centred", "deviation"], ["n"]),
      node("Mul", ["n", "gamma"], ["g"]),
      node("Add", ["g", "gamma"], ["y"]),
    ],
    constants: [ints("axes", [-1]), scalar("two", 2), scalar("epsilon", 1e-5), list("gamma", [-1, 1, -2, 2])],
    flow: 12,
  },
  {
    title: "LayerNormalization is |γ|",
    nodes: [first, node("LayerNormalization", ["h", "gamma", "gamma"], ["y"])],
    constants: [list("gamma", [-1, 1, -2, 2])],
    flow: 12,
  },
  {
    title: "attention averages, and its scores have no weights to score",
    nodes: [first, node("Softmax", ["h"], ["s"]), node("MatMul", ["s", "v"], ["y"])],
    constants: [tensor("v", "float", [4, 1], [1, -1, 1, -1])],
    flow: 1,
    reason: average,
  },
  {
    title: "a Softmax that makes the output passes its logits",
    nodes: [first, node("Softmax", ["h"], ["s"]), node("Reshape", ["s", "shape"], ["y"])],
    constants: [ints("shape", [2, 2])],
    flow: 8,
  },
  {
    title: "paths of very different size meet",
    nodes: [first, node("Mul", ["h", "tiny"], ["a"]), node("Concat", ["a", "x", "c"], ["y"], { axis: 1 })],
    constants: [scalar("tiny", 2 ** -20), tensor("c", "float", [1, 2], [7, 7])],
    flow: 4 + 8 * 2 ** -20,
  },
  {
    title: "pads are 0",
    nodes: [first, node("Pad", ["h", "pads", "five"], ["y"])],
    constants: [ints("pads", [0, 2, 0, 2]), scalar("five", 5)],
    flow: 8,
  },
  {
    title: "what the data decides averages its paths, a LeakyRelu in parts too",
    nodes: [
      first,
      node("Greater", ["h", "zero"], ["positive"]),
      node("Mul", ["h", "slope"], ["low"]),
      node("Where", ["positive", "h", "low"], ["y"]),
    ],
    constants: [scalar("zero", 0), scalar("slope", 0.5)],
    flow: 6,
  },
  {
    title: "the rows of an embedding enter as ones",
    nodes: [
      node("Gather", ["table", "x"], ["e"], { axis: 0 }),
      node("ReduceMean", ["e", "axes"], ["m"], { keepdims: 0 }),
      node("MatMul", ["m", "W"], ["y"]),
    ],
    constants: [tensor("table", "float", [3, 4], Array<number>(12).fill(-9)), ints("axes", [1])],
    dtype: "int64",
    flow: 8,
  },
  {
    title: "shapes that the graph computes",
    nodes: [
      first,
      node("Shape", ["h"], ["dims"]),
      node("Gather", ["dims", "one"], ["width"], { axis: 0 }),
      node("Concat", ["width", "one"], ["shape"], { axis: 0 }),
      node("Reshape", ["h", "shape"], ["y"]),
    ],
    constants: [ints("one", [1])],
    flow: 8,
  },
];
