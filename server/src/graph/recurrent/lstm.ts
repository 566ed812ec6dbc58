/**
 * LSTM. With gates i, o, f and candidate c̃ from W·x + R·h + biases: c ← f∘c + i∘c̃, h ← o∘h(c). Peepholes add p∘c to the
 * gates (the new c to o); `input_forget` makes f = 1 − i. What goes into gates and candidate is clipped; what goes into
 * h(c) is not, as in ONNX Runtime.
 */
import { intAttribute } from "../graph.js";
import type { Cell } from "./cell.js";

export const lstm: Cell = {
  gates: 4,
  states: 2,
  activations: ["Sigmoid", "Tanh", "Tanh"],
  recurrence: ({ b, node, recurrent, biases, peepholes, activate, clip }) => {
    const [gateOf, candidate, output] = activate as [(typeof activate)[0], (typeof activate)[0], (typeof activate)[0]];
    const gate = (value: string): string => gateOf(clip(value));
    const coupled = intAttribute(node, "input_forget", 0) === 1;
    const [toInput, toOutput, toForget] =
      peepholes === null ? [] : b.outputs("Split", [peepholes], 3, { axis: 0, num_outputs: 3 });
    const peeped = (value: string, weight: string | undefined, cell: string): string =>
      weight === undefined ? value : b.add(value, b.mul(weight, cell));
    return {
      bias: biases === null ? null : b.add(...biases),
      step: (projected, [hidden, cell]) => {
        const all = b.add(projected, b.matMul(hidden!, recurrent));
        const [i, o, f, c] = b.outputs("Split", [all], 4, { axis: 2, num_outputs: 4 });
        const input = gate(peeped(i!, toInput, cell!));
        const forget = coupled ? b.sub(b.scalar(1), input) : gate(peeped(f!, toForget, cell!));
        const now = b.add(b.mul(forget, cell!), b.mul(input, candidate(clip(c!))));
        return [b.mul(gate(peeped(o!, toOutput, now)), output(now)), now];
      },
    };
  },
};
