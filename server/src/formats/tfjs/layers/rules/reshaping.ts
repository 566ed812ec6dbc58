/** Layers that only give elements another place: Flatten, Permute, RepeatVector, Reshape. */
import { hasChannelsFirst, withChannelsLast } from "../../lowering/data-format.js";
import { axisInValue, type Lowered } from "../../lowering/lowered.js";
import type { Lowering } from "../../lowering/lowering.js";
import { type LayerCall, type LayerRule, only } from "../rule.js";

export const flatten: LayerRule = {
  classes: ["Flatten"],
  lower: (call) => {
    const { lowering, config } = call;
    const given = only(call);
    // Its channels go last before it flattens.
    const turns = hasChannelsFirst(config["dataFormat"]) && given.shape!.length > 2;
    const value = inOrder(lowering, turns ? withChannelsLast(lowering, given) : given);
    return [lowering.plain(lowering.op("Flatten", [value], { axis: 1 }), call.outputShapes[0]!)];
  },
};

export const reshape: LayerRule = {
  classes: ["Reshape"],
  lower: (call) => {
    const { lowering } = call;
    const shape = call.outputShapes[0]!;
    const value = inOrder(lowering, only(call));
    // A batch keeps its length; between batch and channels there may be nothing to give an order.
    const lengths = (dims: LayerCall["outputShapes"][0]): string =>
      lowering.ints([0, ...dims.slice(1).map((length) => length ?? -1)]);
    const reshaped = (dims: LayerCall["outputShapes"][0]): string =>
      lowering.op("Reshape", [value, lengths(dims)], { allowzero: 0 });
    if (shape.length > 3 && shape.slice(1, -1).every((length) => length === 1))
      return [lowering.first(reshaped([shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)]), shape)];
    return [lowering.plain(reshaped(shape), shape)];
  },
};

export const permute: LayerRule = {
  classes: ["Permute"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const perm = [0, ...(config["dims"] as readonly number[])].map((axis) => axisInValue(x, axis));
    return [lowering.plain(lowering.transposed(x.value, perm), call.outputShapes[0]!)];
  },
};

export const repeatVector: LayerRule = {
  classes: ["RepeatVector"],
  lower: (call) => {
    const { lowering, config } = call;
    const one = lowering.op("Unsqueeze", [lowering.lastValue(only(call)), lowering.ints([1])]);
    const value = lowering.op("Tile", [one, lowering.ints([1, config["n"] as number, 1])]);
    return [lowering.plain(value, call.outputShapes[0]!)];
  },
};

/** A value whose elements lie in tfjs' order, whatever its axes: where all of an image is one point, any order is that. */
function inOrder(lowering: Lowering, x: Lowered): string {
  const point = x.layout === "channels-first" && x.shape!.slice(1, -1).every((length) => length === 1);
  return point ? x.value : lowering.lastValue(x);
}
