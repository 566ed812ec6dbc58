/** ReduceLogSum, dx = dy / Σx, and ReduceLogSumExp, dx = dy · e^(x − y). */
import type { GradientRule } from "../rule.js";
import { reducedBy, unsqueezed } from "./reduce.js";

export const reduceLogSum: GradientRule = {
  op: "ReduceLogSum",
  pullback: (site) => [
    () => {
      const { b } = site;
      const each = b.div(site.dy, b.op("Exp", [site.output()]));
      return b.expand(unsqueezed(site, each, reducedBy(site)), site.inputShape(0));
    },
  ],
};

export const reduceLogSumExp: GradientRule = {
  op: "ReduceLogSumExp",
  pullback: (site) => [
    () => {
      const { b } = site;
      const reduced = reducedBy(site);
      const share = b.op("Exp", [b.sub(site.input(0), unsqueezed(site, site.output(), reduced))]);
      return b.mul(share, unsqueezed(site, site.dy, reduced));
    },
  ],
};
