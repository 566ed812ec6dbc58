/**
 * Small smooth networks, their weights as inputs: what second derivatives are checked on beyond single operators.
 * Shapes of inputs by name; data, weights and statistics alike.
 */
import type { GraphParts } from "../support/models.js";
import { node, tensor, value } from "../support/models.js";

export interface SmallNetwork {
  readonly title: string;
  readonly parts: GraphParts;
}

type Shapes = Readonly<Record<string, readonly number[]>>;

const network = (
  title: string,
  inputs: Shapes,
  { nodes, initializers = [] }: Pick<GraphParts, "nodes" | "initializers">,
): SmallNetwork => ({
  title,
  parts: {
    nodes,
    initializers,
    inputs: Object.entries(inputs).map(([name, shape]) => value(name, "float", shape)),
    outputs: [value("y", "other", null)],
  },
});

const ints = (name: string, values: readonly number[]): ReturnType<typeof tensor> =>
  tensor(name, "int64", [values.length], values);
const scalar = (name: string, of: number): ReturnType<typeof tensor> => tensor(name, "float", [], [of]);

const convolutions = network(
  "convolution, batch normalisation, tanh, classifier",
  { x: [2, 2, 5, 5], w1: [3, 2, 3, 3], b1: [3], gamma: [3], beta: [3], w2: [4, 3, 2, 2], w3: [5, 4] },
  {
    nodes: [
      node("Conv", ["x", "w1", "b1"], ["c1"], { pads: [1, 1, 1, 1] }),
      node("BatchNormalization", ["c1", "gamma", "beta", "mean", "variance"], ["n1"]),
      node("Tanh", ["n1"], ["t1"]),
      node("AveragePool", ["t1"], ["p1"], { kernel_shape: [2, 2], strides: [1, 1] }),
      node("Conv", ["p1", "w2"], ["c2"], { strides: [2, 2] }),
      node("Tanh", ["c2"], ["t2"]),
      node("GlobalAveragePool", ["t2"], ["p2"]),
      node("Flatten", ["p2"], ["f"]),
      node("Gemm", ["f", "w3"], ["logits"], { transB: 1 }),
      node("LogSoftmax", ["logits"], ["y"]),
    ],
    initializers: [tensor("mean", "float", [3], [0.1, -0.2, 0.3]), tensor("variance", "float", [3], [0.5, 1, 2])],
  },
);

const attention = network(
  "attention, decomposed layer normalisation, GELU by Erf",
  { x: [2, 3, 4], q: [4, 4], k: [4, 4], v: [4, 4], gamma: [4], w1: [4, 6], w2: [6, 4] },
  {
    nodes: [
      node("MatMul", ["x", "q"], ["queries"]),
      node("MatMul", ["x", "k"], ["keys"]),
      node("MatMul", ["x", "v"], ["values"]),
      node("Transpose", ["keys"], ["turned"], { perm: [0, 2, 1] }),
      node("MatMul", ["queries", "turned"], ["scores"]),
      node("Mul", ["scores", "half"], ["scaled"]),
      node("Softmax", ["scaled"], ["shares"]),
      node("MatMul", ["shares", "values"], ["mixed"]),
      node("Add", ["x", "mixed"], ["r1"]),
      node("ReduceMean", ["r1", "last"], ["mean"]),
      node("Sub", ["r1", "mean"], ["centred"]),
      node("Pow", ["centred", "two"], ["squares"]),
      node("ReduceMean", ["squares", "last"], ["variance"]),
      node("Add", ["variance", "epsilon"], ["safe"]),
      node("Sqrt", ["safe"], ["deviation"]),
      node("Div", ["centred", "deviation"], ["standard"]),
      node("Mul", ["standard", "gamma"], ["n1"]),
      node("MatMul", ["n1", "w1"], ["h"]),
      node("Div", ["h", "root"], ["h1"]),
      node("Erf", ["h1"], ["h2"]),
      node("Add", ["h2", "one"], ["h3"]),
      node("Mul", ["h", "h3"], ["h4"]),
      node("Mul", ["h4", "half"], ["gelu"]),
      node("MatMul", ["gelu", "w2"], ["out"]),
      node("Add", ["r1", "out"], ["y"]),
    ],
    initializers: [
      ints("last", [-1]),
      scalar("half", 0.5),
      scalar("one", 1),
      scalar("two", 2),
      scalar("epsilon", 1e-2),
      scalar("root", Math.SQRT2),
    ],
  },
);

/** One step of an LSTM cell of two units; gates i, o, f, c as ONNX orders them. */
const step = (t: number): GraphParts["nodes"] => [
  node("Gather", ["x", `at${t}`], [`x${t}`], { axis: 0 }),
  node("Concat", [`x${t}`, `h${t}`], [`joined${t}`], { axis: -1 }),
  node("Gemm", [`joined${t}`, "w", "b"], [`gates${t}`]),
  node("Split", [`gates${t}`, "lengths"], [`i${t}`, `o${t}`, `f${t}`, `g${t}`], { axis: 1 }),
  ...["i", "o", "f"].map((gate) => node("Sigmoid", [`${gate}${t}`], [`s${gate}${t}`])),
  node("Tanh", [`g${t}`], [`candidate${t}`]),
  node("Mul", [`si${t}`, `candidate${t}`], [`new${t}`]),
  node("Mul", [`sf${t}`, `c${t}`], [`old${t}`]),
  node("Add", [`new${t}`, `old${t}`], [`c${t + 1}`]),
  node("Tanh", [`c${t + 1}`], [`squashed${t}`]),
  node("Mul", [`so${t}`, `squashed${t}`], [`h${t + 1}`]),
];

const recurrent = network(
  "a chain of LSTM cells that share their weights",
  { x: [4, 2, 3], h0: [2, 2], c0: [2, 2], w: [5, 8], b: [8] },
  {
    nodes: [...[0, 1, 2, 3].flatMap(step), node("Concat", ["h1", "h2", "h3", "h4"], ["y"], { axis: 0 })],
    initializers: [ints("lengths", [2, 2, 2, 2]), ...[0, 1, 2, 3].map((t) => tensor(`at${t}`, "int64", [], [t]))],
  },
);

export const smallNetworks: readonly SmallNetwork[] = [convolutions, attention, recurrent];
