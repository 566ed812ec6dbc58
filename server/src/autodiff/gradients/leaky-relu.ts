/** LeakyRelu and PRelu: y = x where x > 0, else slope · x; at 0 the slope counts, as in PyTorch. */
import type { Value } from "../../graph/builder.js";
import type { GradientRule, Site } from "../rule.js";

/** `a` where x > 0, else `c`. */
const where = (site: Site, a: Value, c: Value): Value =>
  site.b.where(site.b.op("Greater", [site.input(0), site.b.scalar(0)]), a, c);

export const leakyRelu: GradientRule = {
  op: "LeakyRelu",
  pullback: (site) => [() => where(site, site.dy, site.b.scale(site.dy, site.float("alpha", 0.01)))],
};

/** The slope is broadcast to x: dslope = dy · min(x, 0). */
export const pRelu: GradientRule = {
  op: "PRelu",
  broadcasts: true,
  pullback: (site) => {
    const { b } = site;
    return [
      () => where(site, site.dy, b.mul(site.dy, site.input(1))),
      () => b.mul(site.dy, b.op("Min", [site.input(0), b.scalar(0)])),
    ];
  },
};
