/** Operators that only give their input another shape: Flatten, Reshape, Squeeze, Unsqueeze. */
import type { GradientRule } from "../rule.js";

const rule = (op: string): GradientRule => ({
  op,
  anyType: true,
  pullback: (site) => [() => site.b.reshape(site.dy, site.inputShape(0))],
});

export const flatten = rule("Flatten");
export const reshape = rule("Reshape");
export const squeeze = rule("Squeeze");
export const unsqueeze = rule("Unsqueeze");
