/** Embedding: rows of a table [words, length], by whole numbers. */
import { masks } from "../masking.js";
import { type LayerRule, only } from "../rule.js";

export const embedding: LayerRule = {
  classes: ["Embedding"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const dtype = lowering.dtypeOf(x);
    const ids = lowering.lastValue(x);
    const whole = dtype === "int32" || dtype === "int64" ? ids : lowering.cast(ids, "int32");
    if (config["maskZero"] === true) masks(call);
    const value = lowering.op("Gather", [call.weight("embeddings")!.value, whole], { axis: 0 });
    return [lowering.plain(value, call.outputShapes[0]!)];
  },
};
