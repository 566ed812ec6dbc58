/** Operators of one input whose derivative is one or two operators: Abs, Cos, Exp, Log, Neg, Reciprocal, Sin, Sqrt. */
import type { Value } from "../../graph/builder.js";
import type { GradientRule, Site } from "../rule.js";

const unary = (op: string, cotangent: (site: Site) => Value): GradientRule => ({
  op,
  pullback: (site) => [() => cotangent(site)],
});

/** 0 at 0, as in PyTorch. */
export const abs = unary("Abs", (site) => site.b.mul(site.dy, site.b.op("Sign", [site.input(0)])));
export const cos = unary("Cos", (site) => site.b.neg(site.b.mul(site.dy, site.b.op("Sin", [site.input(0)]))));
export const exp = unary("Exp", (site) => site.b.mul(site.dy, site.output()));
export const log = unary("Log", (site) => site.b.div(site.dy, site.input(0)));
export const neg = unary("Neg", ({ b, dy }) => b.neg(dy));
export const reciprocal = unary("Reciprocal", (site) => {
  const { b } = site;
  return b.neg(b.mul(site.dy, b.mul(site.output(), site.output())));
});
export const sin = unary("Sin", (site) => site.b.mul(site.dy, site.b.op("Cos", [site.input(0)])));
export const sqrt = unary("Sqrt", (site) => site.b.div(site.b.scale(site.dy, 0.5), site.output()));
