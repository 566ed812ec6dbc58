/** Recurrent layers over the attributes and optional inputs of the ONNX specification. */
import type { AttributeValue } from "../support/models.js";

export type RecurrentOp = "GRU" | "LSTM" | "RNN";

export interface RecurrentLayer {
  readonly op: RecurrentOp;
  readonly direction?: "forward" | "reverse" | "bidirectional";
  readonly steps?: number;
  readonly batch?: number;
  readonly input?: number;
  readonly hidden?: number;
  /** Optional inputs that are there. */
  readonly bias?: true;
  readonly initial?: true;
  readonly peepholes?: true;
  readonly lens?: readonly number[];
  /** Which of Y, Y_h and Y_c the model gives out; all when absent. */
  readonly outputs?: readonly number[];
  readonly batchFirst?: true;
  readonly activations?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

const ops = ["LSTM", "GRU", "RNN"] as const;
const directions = ["forward", "reverse", "bidirectional"] as const;
/** Functions of one direction, and what each of them takes. */
const functions: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["Affine", [0.7], [0.1]],
  ["Relu", [], []],
  ["LeakyRelu", [0.2], []],
  ["ThresholdedRelu", [0.3], []],
  ["ScaledTanh", [0.8], [0.6]],
  ["HardSigmoid", [0.3], [0.4]],
  ["Elu", [0.9], []],
  ["Softsign", [], []],
  ["Softplus", [], []],
];

export const recurrentLayers: readonly RecurrentLayer[] = [
  ...ops.flatMap((op): RecurrentLayer[] => [
    { op },
    { op, steps: 1 },
    { op, steps: 1, batch: 1, initial: true, bias: true },
    { op, hidden: 1, input: 1 },
    ...directions.flatMap((direction): RecurrentLayer[] => [
      { op, direction, bias: true },
      { op, direction, bias: true, initial: true },
      { op, direction, bias: true, initial: true, batchFirst: true },
      { op, direction, bias: true, attributes: { clip: { float: 0.4 } } },
      { op, direction, initial: true, outputs: [0] },
      { op, direction, initial: true, outputs: [1] },
    ]),
    { op, lens: [5, 5, 5], bias: true },
  ]),
  ...directions.flatMap((direction): RecurrentLayer[] => [
    { op: "LSTM", direction, bias: true, peepholes: true, initial: true },
    { op: "LSTM", direction, outputs: [2] },
    { op: "LSTM", direction, bias: true, attributes: { input_forget: 1 } },
    { op: "GRU", direction, bias: true, initial: true, attributes: { linear_before_reset: 1 } },
    { op: "GRU", direction, initial: true, attributes: { linear_before_reset: 1 } },
    { op: "GRU", direction, bias: true, attributes: { linear_before_reset: 1, clip: { float: 0.4 } } },
  ]),
  { op: "LSTM", bias: true, peepholes: true, attributes: { clip: { float: 0.3 }, input_forget: 1 } },
  ...functions.map(([name, alpha, beta]): RecurrentLayer => ({
    op: "RNN",
    bias: true,
    activations: [name],
    attributes: { activation_alpha: { floats: alpha }, activation_beta: { floats: beta } },
  })),
  ...functions.flatMap(([name, alpha, beta]): RecurrentLayer[] => [
    {
      op: "LSTM",
      bias: true,
      activations: ["Sigmoid", name, "Tanh"],
      attributes: { activation_alpha: { floats: alpha }, activation_beta: { floats: beta } },
    },
    {
      op: "LSTM",
      bias: true,
      activations: ["HardSigmoid", "Tanh", name],
      attributes: { activation_alpha: { floats: [0.25, ...alpha] }, activation_beta: { floats: [0.45, ...beta] } },
    },
    {
      op: "GRU",
      bias: true,
      activations: [name, "Tanh"],
      attributes: { activation_alpha: { floats: alpha }, activation_beta: { floats: beta } },
    },
  ]),
  { op: "RNN", activations: ["LeakyRelu"] },
  { op: "RNN", activations: ["HardSigmoid"] },
  { op: "GRU", direction: "bidirectional", bias: true, activations: ["Sigmoid", "Relu", "HardSigmoid", "softsign"] },
  {
    op: "LSTM",
    direction: "bidirectional",
    bias: true,
    activations: ["HardSigmoid", "Tanh", "LeakyRelu", "Sigmoid", "Elu", "Tanh"],
    attributes: { activation_alpha: { floats: [0.3, 0.1, 0.5] }, activation_beta: { floats: [0.6] } },
  },
];
