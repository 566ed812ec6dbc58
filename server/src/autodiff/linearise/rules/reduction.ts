/** Reductions: means and extremes stay; norms and sums of powers are sums. */
import { otherInputs } from "./movement.js";
import type { LinearRule } from "../rule.js";

const reduction = (op: string, as: string): LinearRule => ({
  op,
  images: (site) => {
    const x = site.exponents.held(site.signal(0));
    const words = {
      keepdims: site.int("keepdims", 1),
      noop_with_empty_axes: site.int("noop_with_empty_axes", 0),
    };
    const value = site.b.op(as, [x.value, ...otherInputs(site)], words);
    return [{ kind: "signal", ...site.exponents.grown(value, x), bounds: null }];
  },
});

const cumSum: LinearRule = {
  op: "CumSum",
  images: (site) => {
    const x = site.exponents.held(site.signal(0));
    const value = site.same([x.value, ...otherInputs(site)])[0]!;
    return [{ kind: "signal", ...site.exponents.grown(value, x), bounds: null }];
  },
};

export const reductions: readonly LinearRule[] = [
  ...["ReduceMax", "ReduceMean", "ReduceMin"].map((op) => reduction(op, op)),
  ...["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSum", "ReduceSumSquare"].map((op) =>
    reduction(op, "ReduceSum"),
  ),
  cumSum,
];
