/** TimeDistributed: a layer applied to every step by itself, all steps of all samples in one batch. */
import type { Lowering } from "../../lowering/lowering.js";
import { heldLayer, type LayerRule, only } from "../rule.js";

export const timeDistributed: LayerRule = {
  classes: ["TimeDistributed"],
  lower: (call) => {
    const { lowering, layer, outputShapes } = call;
    const inner = heldLayer(layer, "layer");
    const x = only(call);
    const [, steps, ...each] = x.shape!;
    const [, , ...result] = outputShapes[0]!;
    const given = lowering.lastValue(x);
    const merged = lowering.op("Reshape", [
      given,
      isKnown(each)
        ? lowering.ints([-1, ...each])
        : joined(lowering, [lowering.ints([-1]), shapeOf(lowering, given, 2)]),
    ]);
    const [y] = call.nested(inner, [lowering.plain(merged, [null, ...each])], [[null, ...result]]);
    const found = lowering.lastValue(y!);
    const apart = [steps!, ...result];
    const lengths = isKnown(apart)
      ? lowering.ints([-1, ...apart])
      : joined(lowering, [shapeOf(lowering, given, 0, 2), shapeOf(lowering, found, 1)]);
    return [lowering.plain(lowering.op("Reshape", [found, lengths]), outputShapes[0]!)];
  },
};

const isKnown = (lengths: readonly (number | null)[]): lengths is readonly number[] => !lengths.includes(null);

const joined = (lowering: Lowering, lists: readonly string[]): string => lowering.op("Concat", lists, { axis: 0 });

const shapeOf = (lowering: Lowering, value: string, start: number, end?: number): string =>
  lowering.op("Shape", [value], { start, end });
