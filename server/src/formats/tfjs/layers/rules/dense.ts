/** Dense: x · kernel [in, units] + bias, on the last axis. */
import { activate } from "../../lowering/activations.js";
import { type LayerRule, only } from "../rule.js";

export const dense: LayerRule = {
  classes: ["Dense"],
  lower: (call) => {
    const { lowering, config } = call;
    const kernel = call.weight("kernel")!;
    const bias = call.weight("bias");
    const given = only(call);
    const dtype = lowering.dtypeOf(given);
    const values = lowering.lastValue(given);
    const x = dtype === null || dtype === "float" ? values : lowering.cast(values, "float");
    const shape = call.outputShapes[0]!;
    const product =
      shape.length === 2 && bias !== null
        ? lowering.op("Gemm", [x, kernel.value, bias.value])
        : lowering.op("MatMul", [x, kernel.value]);
    const sum = shape.length === 2 || bias === null ? product : lowering.op("Add", [product, bias.value]);
    return [activate(lowering, config["activation"], lowering.plain(sum, shape))];
  },
};
