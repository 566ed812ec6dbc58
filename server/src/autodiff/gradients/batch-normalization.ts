/**
 * BatchNormalization of inference: y = (x − mean) · s + bias with s = scale / √(variance + ε), for each channel. Mean and
 * variance are inputs like any other; `batch-statistics.ts` computes them from x.
 */
import type { Value } from "../../graph/builder.js";
import { channelDots, channelSums, perChannel } from "../channels.js";
import { type GradientRule, NoGradient } from "../rule.js";
import { inverseDeviation } from "../standardise.js";

export const batchNormalization: GradientRule = {
  op: "BatchNormalization",
  pullback: (site) => {
    if (site.int("training_mode", 0) !== 0) throw new NoGradient("it is in training mode");
    const { b } = site;
    const shape = site.inputShape(0);
    const inverse = inverseDeviation(b, site.input(4), site.float("epsilon", 1e-5));
    const slope = b.mul(site.input(1), inverse);
    /** Σ dy · (x − mean), for each channel. */
    const moments = (): Value =>
      channelDots(b, site.dy, b.sub(site.input(0), perChannel(b, site.input(3), shape)), shape);
    return [
      () => b.mul(site.dy, perChannel(b, slope, shape)),
      () => b.mul(moments(), inverse),
      () => channelSums(b, site.dy, shape),
      () => b.neg(b.mul(channelSums(b, site.dy, shape), slope)),
      () => b.scale(b.mul(moments(), b.mul(slope, b.mul(inverse, inverse))), -0.5),
    ];
  },
};
