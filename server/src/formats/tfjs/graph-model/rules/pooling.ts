/** Pools: the largest or the mean of each window. */
import { poolOver } from "../../lowering/pooling.js";
import { type OpRule, ranked, Unlowered } from "../rule.js";
import { innerInts, isFirst, paddingOf, slidLengths } from "../windows.js";

export const pooling: OpRule = {
  ops: ["AvgPool", "AvgPool3D", "MaxPool", "MaxPool3D", "MaxPoolWithArgmax"],
  lower: ({ lowering, node, inputs, outputs }) => {
    if (isFirst(node)) throw new Unlowered("TensorFlow.js takes its data_format NCHW for NHWC");
    if (node.op === "MaxPoolWithArgmax" && outputs > 1)
      throw new Unlowered("the places of its largest elements are counted otherwise in ONNX");
    const axes = node.op.endsWith("3D") ? 3 : 2;
    const x = ranked(inputs[0]!, axes + 2);
    const inner = x.shape.slice(1, -1);
    const window = innerInts(node, "ksize", axes);
    const plain = { window, strides: innerInts(node, "strides", axes), dilations: window.map(() => 1) };
    const padding = paddingOf(node, inner, plain);
    return [
      poolOver(lowering, x, {
        pool: node.op.startsWith("Avg") ? "Average" : "Max",
        window,
        strides: plain.strides,
        padding,
        shape: [x.shape[0]!, ...slidLengths(inner, { ...plain, padding }), x.shape.at(-1)!],
      }),
    ];
  },
};
