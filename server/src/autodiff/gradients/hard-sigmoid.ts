/**
 * HardSigmoid, clip(αx + β, 0, 1), and HardSwish, x · HardSigmoid(x; 1/6, 1/2). On the bounds the slope is 0, as in
 * PyTorch. A HardSigmoid as steep as those of `masks.ts` is a step, and its derivative exactly 0.
 */
import { between, steep } from "../masks.js";
import type { GradientRule } from "../rule.js";

export const hardSigmoid: GradientRule = {
  op: "HardSigmoid",
  pullback: (site) => {
    const { b } = site;
    const alpha = site.float("alpha", 0.2);
    if (Math.abs(alpha) >= steep) return [null];
    return [() => b.scale(b.mul(site.dy, between(b, site.output(), 0, b.scalar(1))), alpha)];
  },
};

/** y' = h + x/6 · [0 < h < 1] with h the HardSigmoid. */
export const hardSwish: GradientRule = {
  op: "HardSwish",
  pullback: (site) => {
    const { b } = site;
    const x = site.input(0);
    return [
      () => {
        const h = b.op("HardSigmoid", [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
        const slope = b.mul(b.scale(x, 1 / 6), between(b, h, 0, b.scalar(1)));
        return b.mul(site.dy, b.add(h, slope));
      },
    ];
  },
};
