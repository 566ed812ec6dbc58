/** Sigmoid, σ' = σ(1 − σ), and Softplus, log(1 + eˣ), whose derivative is σ. */
import type { GradientRule } from "../rule.js";

export const sigmoid: GradientRule = {
  op: "Sigmoid",
  pullback: (site) => {
    const { b } = site;
    return [() => b.mul(b.mul(site.dy, site.output()), b.sub(b.scalar(1), site.output()))];
  },
};

export const softplus: GradientRule = {
  op: "Softplus",
  pullback: (site) => [() => site.b.mul(site.dy, site.b.op("Sigmoid", [site.input(0)]))],
};
