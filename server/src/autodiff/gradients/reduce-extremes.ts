/** ReduceMax and ReduceMin: all elements that are the extreme share alike, as in PyTorch's amax and amin. */
import { castTo } from "../../graph/literal.js";
import type { GradientRule } from "../rule.js";
import { reducedBy, unsqueezed } from "./reduce.js";

const rule = (op: string): GradientRule => ({
  op,
  pullback: (site) => [
    () => {
      const { b } = site;
      const reduced = reducedBy(site);
      const chosen = b.cast(b.op("Equal", [site.input(0), unsqueezed(site, site.output(), reduced)]), castTo("float"));
      const count = b.reduceSum(chosen, reduced.axes, true);
      return b.mul(chosen, b.div(unsqueezed(site, site.dy, reduced), count));
    },
  ],
});

export const reduceMax = rule("ReduceMax");
export const reduceMin = rule("ReduceMin");
