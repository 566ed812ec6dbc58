/** Transpose: the inverse permutation. */
import type { GradientRule } from "../rule.js";

export const transpose: GradientRule = {
  op: "Transpose",
  anyType: true,
  pullback: (site) => [
    () => {
      const reversed = site.inputShape(0).map((_, axis, all) => all.length - 1 - axis);
      const perm = site.ints("perm") ?? reversed;
      return site.b.transpose(
        site.dy,
        perm.map((_, axis) => perm.indexOf(axis)),
      );
    },
  ],
};
