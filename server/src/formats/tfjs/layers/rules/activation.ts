/** Layers that apply a function to each element, or along one axis. */
import { activate, clip } from "../../lowering/activations.js";
import type { Json } from "../../document.js";
import type { Lowering } from "../../lowering/lowering.js";
import { type LayerRule, only } from "../rule.js";

export const activation: LayerRule = {
  classes: ["Activation"],
  lower: (call) => [activate(call.lowering, call.config["activation"], only(call))],
};

const float = (json: Json | undefined): { readonly float: number } => ({ float: json as number });

export const rectifiers: LayerRule = {
  classes: ["ELU", "LeakyReLU", "ReLU", "ThresholdedReLU"],
  lower: (call) => {
    const { lowering, config, className } = call;
    const x = only(call);
    switch (className) {
      case "ELU":
        return [lowering.unary("Elu", x, { alpha: float(config["alpha"]) })];
      case "LeakyReLU":
        return [lowering.unary("LeakyRelu", x, { alpha: float(config["alpha"]) })];
      case "ThresholdedReLU":
        return [{ ...x, value: above(lowering, x.value, config["theta"] as number) }];
      default: {
        const max = config["maxValue"];
        return [typeof max === "number" ? clip(lowering, x, 0, max) : lowering.unary("Relu", x)];
      }
    }
  },
};

/** x where it is above a bound, else 0. */
const above = (lowering: Lowering, x: string, bound: number): string =>
  lowering.op("Where", [lowering.op("Greater", [x, lowering.scalar(bound)]), x, lowering.scalar(0)]);

export const prelu: LayerRule = {
  classes: ["PReLU"],
  lower: (call) => [call.lowering.elementwise("PRelu", [only(call), call.weight("alpha")!])],
};

export const softmax: LayerRule = {
  classes: ["Softmax"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const given = config["axis"] as number | readonly number[];
    const axes = (typeof given === "number" ? [given] : given).map((axis) => lowering.axis(x, axis));
    if (axes.length === 1) return [lowering.unary("Softmax", x, { axis: axes[0]! })];
    const sum = lowering.op("ReduceLogSumExp", [x.value, lowering.ints(axes)], { keepdims: 1 });
    return [{ ...x, value: lowering.op("Exp", [lowering.op("Sub", [x.value, sum])]) }];
  },
};
