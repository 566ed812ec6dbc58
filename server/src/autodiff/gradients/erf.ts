/** Erf: y' = 2/√π · e^(−x²), as one exponential. */
import type { GradientRule } from "../rule.js";

export const erf: GradientRule = {
  op: "Erf",
  pullback: (site) => {
    const { b } = site;
    const x = site.input(0);
    const factor = b.scalar(Math.log(2 / Math.sqrt(Math.PI)));
    return [() => b.mul(site.dy, b.op("Exp", [b.sub(factor, b.mul(x, x))]))];
  },
};
