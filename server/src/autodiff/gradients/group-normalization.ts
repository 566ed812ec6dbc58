/** GroupNormalization (opset 21) and InstanceNormalization, which has a group for each channel. */
import type { Value } from "../../graph/builder.js";
import { elementCount } from "../../graph/tensor.js";
import { channelDots, channelSums, perChannel } from "../channels.js";
import type { Cotangent, GradientRule, Site } from "../rule.js";
import { standardised, standardisedPullback } from "../standardise.js";

/** Cotangents of x, scale and bias; scale and bias have an element for each channel. */
function pullback(site: Site, groups: number): Cotangent[] {
  const { b } = site;
  const shape = site.inputShape(0);
  const [samples, channels, ...places] = shape as [number, number, ...number[]];
  const inGroups = (value: Value): Value =>
    b.reshape(value, [samples, groups, (channels / groups) * elementCount(places)]);
  const parts = standardised(b, inGroups(site.input(0)), [2], site.float("epsilon", 1e-5));
  return [
    () => {
      const g = inGroups(b.mul(site.dy, perChannel(b, site.input(1), shape)));
      return b.reshape(standardisedPullback(b, g, parts, [2]), shape);
    },
    () => channelDots(b, site.dy, b.reshape(parts.hat, shape), shape),
    () => channelSums(b, site.dy, shape),
  ];
}

export const groupNormalization: GradientRule = {
  op: "GroupNormalization",
  pullback: (site) => pullback(site, site.int("num_groups", 1)),
};

export const instanceNormalization: GradientRule = {
  op: "InstanceNormalization",
  pullback: (site) => pullback(site, site.inputShape(0)[1] ?? 1),
};
