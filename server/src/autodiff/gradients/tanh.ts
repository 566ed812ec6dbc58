/** Tanh: y' = 1 − y². */
import type { GradientRule } from "../rule.js";

export const tanh: GradientRule = {
  op: "Tanh",
  pullback: (site) => {
    const { b } = site;
    return [() => b.mul(site.dy, b.sub(b.scalar(1), b.mul(site.output(), site.output())))];
  },
};
