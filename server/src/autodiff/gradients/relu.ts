/** y = max(x, 0): dx = dy where y > 0, and 0 elsewhere, at 0 too, as in PyTorch. */
import type { GradientRule } from "../rule.js";
import { above } from "../masks.js";

export const relu: GradientRule = {
  op: "Relu",
  pullback: (site) => [() => site.b.mul(site.dy, above(site.b, site.output()))],
};
