/** The simple recurrent layer: h ← f(W·x + R·h + biases). */
import type { Cell } from "./cell.js";

export const rnn: Cell = {
  gates: 1,
  states: 1,
  activations: ["Tanh"],
  recurrence: ({ b, recurrent, biases, activate, clip }) => ({
    bias: biases === null ? null : b.add(...biases),
    step: (projected, [hidden]) => [activate[0]!(clip(b.add(projected, b.matMul(hidden!, recurrent))))],
  }),
};
