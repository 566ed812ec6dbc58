/** Softmax, dx = y(dy − Σ dy·y), and LogSoftmax, dx = dy − eʸ Σ dy, sums along the axis. */
import type { GradientRule, Site } from "../rule.js";

const axes = (site: Site): number[] => [site.axis(site.int("axis", -1), site.outputShape().length)];

export const softmax: GradientRule = {
  op: "Softmax",
  pullback: (site) => {
    const { b } = site;
    const y = site.output();
    return [() => b.mul(y, b.sub(site.dy, b.reduceSum(b.mul(site.dy, y), axes(site), true)))];
  },
};

export const logSoftmax: GradientRule = {
  op: "LogSoftmax",
  pullback: (site) => {
    const { b, dy } = site;
    return [() => b.sub(dy, b.mul(b.op("Exp", [site.output()]), b.reduceSum(dy, axes(site), true)))];
  },
};
