/** Masking: steps all of whose elements are one value become zeros, and are masked. */
import { masks } from "../masking.js";
import { type LayerRule, only } from "../rule.js";

export const masking: LayerRule = {
  classes: ["Masking"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    masks(call);
    const same = lowering.op("Equal", [x.value, lowering.scalar(config["maskValue"] as number)]);
    const differs = lowering.cast(lowering.op("Not", [same]), "float");
    const axes = lowering.ints([lowering.axis(x, -1)]);
    const kept = lowering.op("ReduceMax", [differs, axes], { keepdims: 1 });
    return [{ ...x, value: lowering.op("Mul", [x.value, kept]) }];
  },
};
