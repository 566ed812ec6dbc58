/**
 * GRU. With gates z and r and candidate n: h ← n + z∘(h − n). The candidate sees R·(r∘h), or r∘(R·h + bias) with
 * `linear_before_reset`.
 */
import { intAttribute } from "../graph.js";
import type { Cell } from "./cell.js";

export const gru: Cell = {
  gates: 3,
  states: 1,
  activations: ["Sigmoid", "Tanh"],
  recurrence: ({ b, node, hidden: length, recurrent, biases, activate, clip }) => {
    const [gateOf, candidateOf] = activate as [(typeof activate)[0], (typeof activate)[0]];
    const gate = (value: string): string => gateOf(clip(value));
    const candidate = (value: string): string => candidateOf(clip(value));
    const gates = (value: string): readonly string[] => b.outputs("Split", [value], 3, { axis: 2, num_outputs: 3 });
    const mixed = (z: string, n: string, hidden: string): readonly string[] => [b.add(n, b.mul(z, b.sub(hidden, n)))];
    if (intAttribute(node, "linear_before_reset", 0) !== 0) {
      return {
        bias: biases?.[0] ?? null,
        step: (projected, [hidden]) => {
          const linear = b.matMul(hidden!, recurrent);
          const [hz, hr, hn] = gates(biases === null ? linear : b.add(linear, biases[1]));
          const [xz, xr, xn] = gates(projected);
          const reset = gate(b.add(xr!, hr!));
          return mixed(gate(b.add(xz!, hz!)), candidate(b.add(xn!, b.mul(reset, hn!))), hidden!);
        },
      };
    }
    const [toGates, toCandidate] = b.outputs("Split", [recurrent, b.ints([2 * length, length])], 2, { axis: 1 });
    return {
      bias: biases === null ? null : b.add(...biases),
      step: (projected, [hidden]) => {
        const [hz, hr] = b.outputs("Split", [b.matMul(hidden!, toGates!)], 2, { axis: 2, num_outputs: 2 });
        const [xz, xr, xn] = gates(projected);
        const reset = gate(b.add(xr!, hr!));
        const n = candidate(b.add(xn!, b.matMul(b.mul(reset, hidden!), toCandidate!)));
        return mixed(gate(b.add(xz!, hz!)), n, hidden!);
      },
    };
  },
};
