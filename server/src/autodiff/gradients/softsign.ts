/** Softsign, x / (1 + |x|), whose derivative is 1 / (1 + |x|)². */
import type { GradientRule } from "../rule.js";

export const softsign: GradientRule = {
  op: "Softsign",
  pullback: (site) => {
    const { b } = site;
    return [
      () => {
        // Of x, not 1 − |y|, which loses its digits where |y| is close to 1.
        const part = b.op("Reciprocal", [b.add(b.scalar(1), b.op("Abs", [site.input(0)]))]);
        return b.mul(site.dy, b.mul(part, part));
      },
    ];
  },
};
