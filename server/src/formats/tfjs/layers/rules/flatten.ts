/** Flatten: all axes but the first in one, in tfjs' order. */
import { type LayerRule, only } from "../rule.js";

export const flatten: LayerRule = {
  classes: ["Flatten"],
  lower: (call) => {
    const { lowering } = call;
    const value = lowering.lastValue(only(call));
    return [lowering.plain(lowering.op("Flatten", [value], { axis: 1 }), call.outputShapes[0]!)];
  },
};
