/**
 * Activations as exporters write them, from `u` to `v`: single operators with their attributes, and patterns of several.
 * `name` is what the theory calls the activation; null where it must not recognise one.
 */
import type { NodeProto } from "onnx-buf";
import { type AttributeValue, node } from "../support/models.js";

export interface ActivationPattern {
  readonly title: string;
  readonly name: string | null;
  /** The limit where there is none; `unknown-activation` when absent. */
  readonly kind?: string;
  readonly nodes: readonly NodeProto[];
  /** Scalars by name; a list is a vector. */
  readonly constants?: Readonly<Record<string, number | readonly number[]>>;
  readonly opset?: number;
  readonly domains?: Readonly<Record<string, number>>;
}

const one = (
  op: string,
  name: string | null,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  rest: Partial<ActivationPattern> = {},
): ActivationPattern => ({
  title: `${op} ${JSON.stringify(attributes)}`,
  name,
  nodes: [node(op, ["u"], ["v"], attributes)],
  ...rest,
});

/** Operators that are an activation by themselves. */
export const activationOperators: readonly ActivationPattern[] = [
  one("Celu", "celu(alpha=0.3)", { alpha: 0.3 }),
  one("Elu", "elu"),
  one("Elu", "elu(alpha=0.5)", { alpha: 0.5 }),
  one("Erf", "erf"),
  one("Gelu", "gelu", {}, { opset: 20 }),
  one("Gelu", "gelu-tanh", { approximate: "tanh" }, { opset: 20 }),
  one("HardSigmoid", "hard-sigmoid"),
  one("HardSigmoid", "hard-sigmoid(alpha=0.25)", { alpha: 0.25, beta: 0.5 }),
  one("HardSwish", "hard-swish"),
  one("LeakyRelu", "leaky-relu"),
  one("LeakyRelu", "leaky-relu(alpha=0.3)", { alpha: 0.3 }),
  one("Mish", "mish", {}, { opset: 18 }),
  one("Relu", "relu"),
  one("Selu", "selu"),
  one("Sigmoid", "sigmoid"),
  one("Sin", "sin"),
  one("Softplus", "softplus"),
  one("Softsign", "softsign"),
  one("Tanh", "tanh"),
  one("ThresholdedRelu", "thresholded-relu(alpha=0.5)", { alpha: 0.5 }),
  {
    title: "Clip between 0 and 6",
    name: "relu6",
    nodes: [node("Clip", ["u", "low", "high"], ["v"])],
    constants: { low: 0, high: 6 },
  },
  {
    title: "Clip with attributes, as opset 6 had them",
    name: "hard-tanh",
    nodes: [node("Clip", ["u"], ["v"], { min: { float: -1 }, max: { float: 1 } })],
    opset: 10,
  },
  {
    title: "Clip between other bounds",
    name: "clip(min=-0.5, max=4)",
    nodes: [node("Clip", ["u", "low", "high"], ["v"])],
    constants: { low: -0.5, high: 4 },
  },
  { title: "Clip from 0", name: "relu", nodes: [node("Clip", ["u", "low"], ["v"])], constants: { low: 0 } },
  {
    title: "PRelu with one slope",
    name: "prelu(slope=0.125)",
    nodes: [node("PRelu", ["u", "slope"], ["v"])],
    constants: { slope: [0.125] },
  },
  {
    title: "FastGelu",
    name: "gelu-tanh",
    nodes: [node("FastGelu", ["u"], ["v"], {}, { domain: "com.microsoft" })],
    domains: { "com.microsoft": 1 },
  },
  {
    title: "QuickGelu",
    name: "silu(alpha=1.702)",
    nodes: [node("QuickGelu", ["u"], ["v"], { alpha: 1.702 }, { domain: "com.microsoft" })],
    domains: { "com.microsoft": 1 },
  },
];

/** Patterns of several operators. */
export const activationPatterns: readonly ActivationPattern[] = [
  {
    title: "SiLU as x·sigmoid(x)",
    name: "silu",
    nodes: [node("Sigmoid", ["u"], ["a"]), node("Mul", ["u", "a"], ["v"])],
  },
  {
    title: "QuickGELU as x·sigmoid(1.702 x)",
    name: "silu(alpha=1.702)",
    nodes: [node("Mul", ["u", "k"], ["a"]), node("Sigmoid", ["a"], ["b"]), node("Mul", ["b", "u"], ["v"])],
    constants: { k: 1.702 },
  },
  {
    title: "HardSwish as x·HardSigmoid(x)",
    name: "hard-swish",
    nodes: [node("HardSigmoid", ["u"], ["a"], { alpha: 1 / 6, beta: 0.5 }), node("Mul", ["u", "a"], ["v"])],
  },
  {
    title: "HardSwish as x·Clip(x + 3)/6",
    name: "hard-swish",
    nodes: [
      node("Add", ["u", "three"], ["a"]),
      node("Clip", ["a", "zero", "six"], ["b"]),
      node("Mul", ["u", "b"], ["c"]),
      node("Div", ["c", "six"], ["v"]),
    ],
    constants: { zero: 0, three: 3, six: 6 },
  },
  {
    title: "HardSwish as x·(Clip(x + 3)/6)",
    name: "hard-swish",
    nodes: [
      node("Add", ["three", "u"], ["a"]),
      node("Clip", ["a", "zero", "six"], ["b"]),
      node("Mul", ["b", "sixth"], ["c"]),
      node("Mul", ["c", "u"], ["v"]),
    ],
    constants: { zero: 0, three: 3, six: 6, sixth: 1 / 6 },
  },
  {
    title: "GELU by Erf, as PyTorch exports it",
    name: "gelu",
    nodes: [
      node("Div", ["u", "root"], ["a"]),
      node("Erf", ["a"], ["b"]),
      node("Add", ["b", "one"], ["c"]),
      node("Mul", ["u", "c"], ["d"]),
      node("Mul", ["d", "half"], ["v"]),
    ],
    constants: { root: Math.SQRT2, one: 1, half: 0.5 },
  },
  {
    title: "GELU by tanh, as TensorFlow exports it",
    name: "gelu-tanh",
    nodes: [
      node("Pow", ["u", "three"], ["a"]),
      node("Mul", ["a", "k"], ["b"]),
      node("Add", ["u", "b"], ["c"]),
      node("Mul", ["c", "root"], ["d"]),
      node("Tanh", ["d"], ["e"]),
      node("Add", ["e", "one"], ["f"]),
      node("Mul", ["f", "half"], ["g"]),
      node("Mul", ["u", "g"], ["v"]),
    ],
    constants: { three: 3, k: 0.044715, root: Math.sqrt(2 / Math.PI), one: 1, half: 0.5 },
  },
  {
    title: "Mish as x·tanh(softplus(x))",
    name: "mish",
    nodes: [node("Softplus", ["u"], ["a"]), node("Tanh", ["a"], ["b"]), node("Mul", ["u", "b"], ["v"])],
  },
  {
    title: "Mish by exp and log",
    name: "mish",
    nodes: [
      node("Exp", ["u"], ["a"]),
      node("Add", ["a", "one"], ["b"]),
      node("Log", ["b"], ["c"]),
      node("Tanh", ["c"], ["d"]),
      node("Mul", ["u", "d"], ["v"]),
    ],
    constants: { one: 1 },
  },
  {
    title: "softplus by exp and log",
    name: "softplus",
    nodes: [node("Exp", ["u"], ["a"]), node("Add", ["a", "one"], ["b"]), node("Log", ["b"], ["v"])],
    constants: { one: 1 },
  },
  {
    title: "softsign as x/(1 + |x|)",
    name: "softsign",
    nodes: [node("Abs", ["u"], ["a"]), node("Add", ["a", "one"], ["b"]), node("Div", ["u", "b"], ["v"])],
    constants: { one: 1 },
  },
  {
    title: "sigmoid by tanh",
    name: "sigmoid",
    nodes: [
      node("Mul", ["u", "half"], ["a"]),
      node("Tanh", ["a"], ["b"]),
      node("Mul", ["b", "half"], ["c"]),
      node("Add", ["c", "half"], ["v"]),
    ],
    constants: { half: 0.5 },
  },
  {
    title: "LeakyReLU as Max(x, 0.3 x)",
    name: "leaky-relu(alpha=0.3)",
    nodes: [node("Mul", ["u", "k"], ["a"]), node("Max", ["u", "a"], ["v"])],
    constants: { k: 0.3 },
  },
  {
    title: "LeakyReLU by Where",
    name: "leaky-relu(alpha=0.2)",
    nodes: [
      node("Greater", ["u", "zero"], ["a"]),
      node("Mul", ["u", "k"], ["b"]),
      node("Where", ["a", "u", "b"], ["v"]),
    ],
    constants: { zero: 0, k: 0.2 },
  },
  {
    title: "a cast around it changes nothing",
    name: "silu",
    nodes: [
      node("Cast", ["u"], ["a"], { to: 1 }),
      node("Sigmoid", ["a"], ["b"]),
      node("Cast", ["b"], ["c"], { to: 1 }),
      node("Mul", ["u", "c"], ["v"]),
    ],
  },
  { title: "|x|, a leaky ReLU", name: "leaky-relu(alpha=-1)", nodes: [node("Abs", ["u"], ["v"])] },
  {
    title: "ELU by Exp",
    name: "elu",
    nodes: [
      node("Relu", ["u"], ["a"]),
      node("Min", ["u", "zero"], ["b"]),
      node("Exp", ["b"], ["c"]),
      node("Sub", ["c", "one"], ["d"]),
      node("Add", ["a", "d"], ["v"]),
    ],
    constants: { zero: 0, one: 1 },
  },
];

/** What is no activation of the theory: it must not be taken for one. */
export const noActivations: readonly ActivationPattern[] = [
  one("Exp", null),
  one("Cos", null),
  { title: "x²", name: null, nodes: [node("Mul", ["u", "u"], ["v"])] },
  {
    title: "PRelu with a slope a channel",
    name: null,
    nodes: [node("PRelu", ["u", "slope"], ["v"])],
    constants: { slope: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6] },
  },
  {
    title: "x·sigmoid(x + 1)",
    name: null,
    kind: "gated",
    nodes: [node("Add", ["u", "one"], ["a"]), node("Sigmoid", ["a"], ["b"]), node("Mul", ["u", "b"], ["v"])],
    constants: { one: 1 },
  },
  {
    title: "a Clip from above only",
    name: null,
    nodes: [node("Clip", ["u", "", "high"], ["v"])],
    constants: { high: 2 },
  },
];
