/**
 * Conv: y = w ∗ x + bias over one to three spatial axes. Its cotangents have several forms, each the fastest for some
 * shapes: `conv/weight-gradient.ts` and `conv/input-gradient.ts` choose.
 */
import type { Value } from "../../graph/builder.js";
import type { Cotangent, GradientRule, Site } from "../rule.js";
import { windowOf } from "../window.js";
import type { Correlation } from "./conv/correlation.js";
import { inputGradient } from "./conv/input-gradient.js";
import { weightGradient } from "./conv/weight-gradient.js";

/** The correlation that a Conv node computes. */
export function correlationOf(site: Site): Correlation {
  const [batch, , ...input] = site.inputShape(0) as [number, number, ...number[]];
  const [outputs, channels, ...kernel] = site.inputShape(1) as [number, number, ...number[]];
  const group = site.int("group", 1);
  const window = windowOf(site, { input, output: site.outputShape().slice(2), kernel });
  return { ...window, batch, group, channels, maps: outputs / group };
}

/** Cotangents of x, w and bias from that of y. */
export function convPullback(site: Site, dy: () => Value): Cotangent[] {
  const { b } = site;
  const c = correlationOf(site);
  return [
    () => inputGradient(b, c, site, dy(), site.input(1)),
    () => weightGradient(b, c, site, site.input(0), dy()),
    () => biasGradient(site, dy()),
  ];
}

/** Σ over samples and places. */
export const biasGradient = (site: Site, dy: Value): Value =>
  site.b.reduceSum(
    dy,
    site.outputShape().flatMap((_, axis) => (axis === 1 ? [] : [axis])),
  );

export const conv: GradientRule = { op: "Conv", pullback: (site) => convPullback(site, () => site.dy) };
