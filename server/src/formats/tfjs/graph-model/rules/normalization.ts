/** Normalisation: by stored statistics, and by the squares of neighbouring channels. */
import type { Lowered } from "../../lowering/lowered.js";
import type { Lowering } from "../../lowering/lowering.js";
import { hasChannelsFirst } from "../../lowering/data-format.js";
import { type OpRule, ranked, Unlowered } from "../rule.js";

/** `x` [N, …, C] normalised by scale, offset, mean and variance, each [C]. @throws Unlowered where one is missing. */
export function normalised(lowering: Lowering, x: Lowered, statistics: readonly Lowered[], epsilon: number): Lowered {
  if (statistics.length < 4) throw new Unlowered("it is given no statistics");
  const values = statistics.slice(0, 4).map((one) => lowering.lastValue(one));
  const made = lowering.op("BatchNormalization", [lowering.firstValue(x), ...values], { epsilon: { float: epsilon } });
  return lowering.first(made, x.shape!);
}

export const fusedBatchNorm: OpRule = {
  ops: ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"],
  lower: ({ lowering, node, inputs, outputs }) => {
    if (hasChannelsFirst(node.text("data_format", "NHWC")))
      throw new Unlowered("TensorFlow.js takes its data_format NCHW for NHWC");
    if (node.bool("is_training") && inputs[3]?.shape?.[0] === 0)
      throw new Unlowered("it is in training mode, and has no statistics");
    if (outputs > 1) throw new Unlowered("its statistics are read, which TensorFlow.js does not give out");
    const [x, ...statistics] = inputs;
    return [normalised(lowering, ranked(x!, 4), statistics, node.float("epsilon", 0.001))];
  },
};

/** ONNX divides alpha by the number of channels that it sums over. */
export const localResponseNormalization: OpRule = {
  ops: ["LRN"],
  lower: ({ lowering, node, inputs }) => {
    const x = ranked(inputs[0]!, 4);
    const size = 2 * node.int("depth_radius", 5) + 1;
    const value = lowering.op("LRN", [lowering.firstValue(x)], {
      size,
      alpha: { float: node.float("alpha", 1) * size },
      beta: { float: node.float("beta", 0.5) },
      bias: { float: node.float("bias", 1) },
    });
    return [lowering.first(value, x.shape)];
  },
};
