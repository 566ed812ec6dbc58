/** Activations as exporters write them: one operator, or several. Each turns value `x` into `y`. */
import type { NodeProto, TensorProto } from "onnx-buf";
import { node } from "../support/model-builder.js";
import { tensor } from "../support/model-tensors.js";

export interface ActivationPattern {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly constants?: readonly TensorProto[];
  /** What `prunescope eoc` calls it; null where the theory has no such activation. */
  readonly activation: string | null;
  readonly opset?: number;
}

const scalar = (name: string, value: number): TensorProto => tensor(name, "float", [], [value]);

export const activationPatterns: readonly ActivationPattern[] = [
  { name: "Relu", nodes: [node("Relu", ["x"], ["y"])], activation: "relu" },
  { name: "LeakyRelu", nodes: [node("LeakyRelu", ["x"], ["y"], { alpha: 0.2 })], activation: "leaky-relu(alpha=0.2)" },
  {
    name: "PRelu with one slope",
    nodes: [node("PRelu", ["x", "slope"], ["y"])],
    constants: [tensor("slope", "float", [8], Array<number>(8).fill(0.25))],
    activation: "prelu",
  },
  {
    name: "PRelu with several slopes",
    nodes: [node("PRelu", ["x", "slope"], ["y"])],
    constants: [tensor("slope", "float", [8], [0.25, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25])],
    activation: null,
  },
  {
    name: "Clip to 0 and 6",
    nodes: [node("Clip", ["x", "low", "high"], ["y"])],
    constants: [scalar("low", 0), scalar("high", 6)],
    activation: "relu6",
  },
  {
    name: "Clip with attributes",
    nodes: [node("Clip", ["x"], ["y"], { min: { float: -1 }, max: { float: 1 } })],
    activation: "hard-tanh",
    opset: 9,
  },
  { name: "Tanh", nodes: [node("Tanh", ["x"], ["y"])], activation: "tanh" },
  { name: "Elu", nodes: [node("Elu", ["x"], ["y"], { alpha: { float: 1 } })], activation: "elu" },
  { name: "Selu", nodes: [node("Selu", ["x"], ["y"])], activation: "selu" },
  { name: "HardSwish", nodes: [node("HardSwish", ["x"], ["y"])], activation: "hard-swish" },
  {
    name: "SiLU as a product",
    nodes: [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["y"])],
    activation: "silu",
  },
  {
    name: "HardSwish with HardSigmoid",
    nodes: [node("HardSigmoid", ["x"], ["s"], { alpha: 1 / 6, beta: { float: 0.5 } }), node("Mul", ["s", "x"], ["y"])],
    activation: "hard-swish",
  },
  {
    name: "HardSwish with Clip and Div",
    nodes: [
      node("Add", ["x", "three"], ["a"]),
      node("Clip", ["a", "zero", "six"], ["b"]),
      node("Mul", ["x", "b"], ["c"]),
      node("Div", ["c", "six"], ["y"]),
    ],
    constants: [scalar("three", 3), scalar("zero", 0), scalar("six", 6)],
    activation: "hard-swish",
  },
  {
    name: "GELU with Erf",
    nodes: [
      node("Div", ["x", "root"], ["a"]),
      node("Erf", ["a"], ["b"]),
      node("Add", ["b", "one"], ["c"]),
      node("Mul", ["x", "c"], ["d"]),
      node("Mul", ["d", "half"], ["y"]),
    ],
    constants: [scalar("root", Math.SQRT2), scalar("one", 1), scalar("half", 0.5)],
    activation: "gelu",
  },
  {
    name: "GELU with tanh",
    nodes: [
      node("Pow", ["x", "three"], ["a"]),
      node("Mul", ["a", "k"], ["b"]),
      node("Add", ["x", "b"], ["c"]),
      node("Mul", ["c", "root"], ["d"]),
      node("Tanh", ["d"], ["e"]),
      node("Add", ["e", "one"], ["f"]),
      node("Mul", ["x", "half"], ["g"]),
      node("Mul", ["g", "f"], ["y"]),
    ],
    constants: [
      scalar("three", 3),
      scalar("k", 0.044715),
      scalar("root", Math.sqrt(2 / Math.PI)),
      scalar("one", 1),
      scalar("half", 0.5),
    ],
    activation: "gelu-tanh",
  },
  {
    name: "Mish",
    nodes: [node("Softplus", ["x"], ["a"]), node("Tanh", ["a"], ["b"]), node("Mul", ["x", "b"], ["y"])],
    activation: "mish",
  },
  {
    name: "Softplus spelt out",
    nodes: [node("Exp", ["x"], ["a"]), node("Add", ["a", "one"], ["b"]), node("Log", ["b"], ["y"])],
    constants: [scalar("one", 1)],
    activation: "softplus",
  },
  {
    name: "HardSwish with a learnt scale and shift behind it",
    nodes: [node("HardSwish", ["x"], ["h"]), node("Mul", ["h", "scale"], ["m"]), node("Add", ["m", "shift"], ["y"])],
    constants: [scalar("scale", 1.3), scalar("shift", -0.2)],
    activation: "hard-swish",
  },
  {
    name: "a square, which is no activation of ours",
    nodes: [node("Mul", ["x", "x"], ["y"])],
    activation: null,
  },
];
