/**
 * Recurrent layers as ONNX' LSTM, GRU and RNN. Kernels stay as stored, [in, gates · hidden] and [hidden, gates · hidden],
 * behind a Transpose; an LSTM's gates, stored in the order input, forget, cell, output, go into ONNX' input, output, forget,
 * cell. Steps come first in ONNX, the batch in TensorFlow.js.
 */
import type { Value } from "../../../graph/builder.js";
import type { AttributeWord } from "../../../graph/literal.js";
import type { Lowered } from "./lowered.js";
import type { Lowering, Words } from "./lowering.js";

export type Cell = "GRU" | "LSTM" | "RNN";

export interface Recurrence {
  readonly cell: Cell;
  readonly kernel: Lowered;
  readonly recurrentKernel: Lowered;
  readonly bias: Lowered | null;
  /** In the order of the operator: gates before what they let through. */
  readonly activations: readonly RecurrentActivation[];
  /** States before the first step, [batch, hidden] each; zeros where there are none. */
  readonly initial: readonly Lowered[];
  /** From the last step to the first. */
  readonly backwards: boolean;
}

export interface Recurred {
  /** Outputs of all steps in the order of time, whichever way they were computed: [batch, steps, hidden]. */
  readonly sequence: () => Lowered;
  /** States after the last step that was computed, [batch, hidden] each; the first is its output. */
  readonly states: readonly (() => Lowered)[];
}

/** An activation as recurrent operators know it, with the parameters that it takes. */
export interface RecurrentActivation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

const known: Readonly<Record<string, RecurrentActivation>> = {
  elu: { name: "Elu", alpha: 1 },
  hardsigmoid: { name: "HardSigmoid", alpha: 0.2, beta: 0.5 },
  linear: { name: "Affine", alpha: 1, beta: 0 },
  relu: { name: "Relu" },
  sigmoid: { name: "Sigmoid" },
  softplus: { name: "Softplus" },
  softsign: { name: "Softsign" },
  tanh: { name: "Tanh" },
};

/** The activation that Keras calls `name`; null where ONNX' recurrent operators do not have it. */
export function recurrentActivation(name: string): RecurrentActivation | null {
  const key = name.toLowerCase().replaceAll("_", "");
  return Object.hasOwn(known, key) ? known[key]! : null;
}

/** Order in which ONNX wants the gates, of those stored; null where it is that. */
const gateOrder: Readonly<Record<Cell, readonly number[] | null>> = { GRU: null, LSTM: [0, 3, 1, 2], RNN: null };

/** Runs a recurrent layer over a sequence [batch, steps, in]. */
export function recur(lowering: Lowering, x: Lowered, recurrence: Recurrence): Recurred {
  const { cell, kernel, recurrentKernel, bias, activations, initial, backwards } = recurrence;
  const hidden = recurrentKernel.shape![0]!;
  const batch = x.shape![0]!;
  const first = lowering.ints([0]);
  const oneDirection = (value: Value): Value => lowering.op("Unsqueeze", [value, first]);
  const gates = (value: Value): Value => {
    const order = gateOrder[cell];
    if (order === null) return value;
    const parts = lowering.ops("Split", [value], order.length, { axis: 0, num_outputs: order.length });
    return lowering.op(
      "Concat",
      order.map((gate) => parts[gate]!),
      { axis: 0 },
    );
  };
  const matrix = ({ value }: Lowered): Value => oneDirection(gates(lowering.transposed(value, [1, 0])));
  const vector = ({ value, shape }: Lowered): Value => {
    const [length] = shape as [number];
    const none = lowering.literal("float", [length], Array<number>(length).fill(0));
    return oneDirection(lowering.op("Concat", [gates(value), none], { axis: 0 }));
  };
  const inputs = [
    lowering.transposed(lowering.lastValue(x), [1, 0, 2]),
    matrix(kernel),
    matrix(recurrentKernel),
    bias === null ? "" : vector(bias),
    "",
    ...initial.map((state) => oneDirection(lowering.lastValue(state))),
  ];
  while (inputs.at(-1) === "") inputs.pop();
  const words: Words = {
    hidden_size: hidden,
    activations: activations.map(({ name }) => name),
    // Each function takes the next number of those lists, where it takes one at all.
    activation_alpha: numbers(activations.map(({ alpha }) => alpha)),
    activation_beta: numbers(activations.map(({ beta }) => beta)),
    ...(backwards ? { direction: "reverse" } : {}),
  };
  const [all, ...last] = lowering.ops(cell, inputs, cell === "LSTM" ? 3 : 2, words);
  return {
    sequence: () => {
      const steps = lowering.op("Squeeze", [all!, lowering.ints([1])]);
      return lowering.plain(lowering.transposed(steps, [1, 0, 2]), [batch, x.shape![1]!, hidden]);
    },
    states: last.map((state) => () => lowering.plain(lowering.op("Squeeze", [state, first]), [batch, hidden])),
  };
}

const numbers = (list: readonly (number | undefined)[]): AttributeWord => {
  const floats = list.filter((one) => one !== undefined);
  return floats.length === 0 ? undefined : { floats };
};

/** A sequence [batch, steps, …] from its last step to its first. */
export function reversed(lowering: Lowering, x: Lowered): Lowered {
  const [from, to, axis, step] = [-1, -(2 ** 31), 1, -1].map((one) => lowering.ints([one]));
  return lowering.plain(lowering.op("Slice", [lowering.lastValue(x), from!, to!, axis!, step!]), x.shape);
}
