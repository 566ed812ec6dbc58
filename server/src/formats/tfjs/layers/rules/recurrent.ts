/** Recurrent layers, and two of them that read a sequence from both ends. */
import type { Lowered } from "../../lowering/lowered.js";
import { type RecurrentLayer, runRecurrent } from "../recurrent.js";
import { heldLayer, type LayerRule } from "../rule.js";

export const recurrent: LayerRule = {
  classes: ["GRU", "LSTM", "RNN", "SimpleRNN"],
  lower: (call) => {
    const found = runRecurrent(call, call.layer as RecurrentLayer, call.inputs);
    return typeof found === "string" ? call.unlowered(found) : [found.output, ...found.states];
  },
};

const merges: Readonly<Record<string, string>> = { ave: "Add", mul: "Mul", sum: "Add" };

export const bidirectional: LayerRule = {
  classes: ["Bidirectional"],
  lower: (call) => {
    const { lowering, config, inputs, outputShapes } = call;
    const held = (name: "backwardLayer" | "forwardLayer"): RecurrentLayer =>
      heldLayer(call.layer, name) as RecurrentLayer;
    const [x, ...initial] = inputs;
    const half = initial.length / 2;
    const ahead = runRecurrent(call, held("forwardLayer"), [x!, ...initial.slice(0, half)]);
    // What comes out of the second is turned round.
    const back = runRecurrent(call, held("backwardLayer"), [x!, ...initial.slice(half)], true);
    if (typeof ahead === "string") return call.unlowered(ahead);
    if (typeof back === "string") return call.unlowered(back);
    const states = [...ahead.states, ...back.states];
    const pair = [ahead.output, back.output];
    const mode = config["mergeMode"];
    if (typeof mode !== "string") return [...pair, ...states];
    const merged = (): Lowered => {
      if (mode !== "concat") return lowering.elementwise(merges[mode]!, pair);
      const values = pair.map((one) => lowering.lastValue(one));
      return lowering.plain(lowering.op("Concat", values, { axis: -1 }), outputShapes[0]!);
    };
    const both = merged();
    if (mode !== "ave") return [both, ...states];
    return [{ ...both, value: lowering.op("Mul", [both.value, lowering.scalar(0.5)]) }, ...states];
  },
};
