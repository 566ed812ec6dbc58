/** Concat and Split, each the other's gradient. */
import type { GradientRule } from "../rule.js";

export const concat: GradientRule = {
  op: "Concat",
  anyType: true,
  pullback: (site) => {
    const axis = site.axis(site.int("axis", 0), site.outputShape().length);
    let end = 0;
    return Array.from({ length: site.arity }, (_, i) => {
      const start = end;
      end += site.inputShape(i)[axis] ?? 0;
      const stop = end;
      return () => site.b.slice(site.dy, [axis], [start], [stop]);
    });
  },
};

/** Parts that the loss does not depend on are zeros. */
export const split: GradientRule = {
  op: "Split",
  pullback: (site) => [
    () => {
      const { b, node } = site;
      const parts = node.outputs.map((_, i) => site.cotangent(i) ?? b.zeros(site.outputShape(i)));
      return b.concat(parts, site.axis(site.int("axis", 0), site.inputShape(0).length));
    },
  ],
};
