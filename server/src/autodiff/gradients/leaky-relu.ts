/** LeakyRelu and PRelu: y = x where x > 0, else slope · x; at 0 the slope counts, as in PyTorch. */
import { above } from "../masks.js";
import type { GradientRule } from "../rule.js";

export const leakyRelu: GradientRule = {
  op: "LeakyRelu",
  pullback: (site) => [
    () => {
      const { b } = site;
      const alpha = site.float("alpha", 0.01);
      const mask = above(b, site.input(0));
      // Clip is the fastest way from 0 and 1 to alpha and 1.
      const usual = alpha >= 0 && alpha <= 1;
      const slope = usual ? b.op("Clip", [mask, b.scalar(alpha)]) : b.add(b.scale(mask, 1 - alpha), b.scalar(alpha));
      return b.mul(site.dy, slope);
    },
  ],
};

/** The slope is broadcast to x: dslope = dy · min(x, 0). */
export const pRelu: GradientRule = {
  op: "PRelu",
  broadcasts: true,
  pullback: (site) => {
    const { b } = site;
    return [
      () => {
        const positive = b.op("Greater", [site.input(0), b.scalar(0)]);
        return b.mul(site.dy, b.where(positive, b.scalar(1), site.input(1)));
      },
      () => b.mul(site.dy, b.op("Min", [site.input(0), b.scalar(0)])),
    ];
  },
};
