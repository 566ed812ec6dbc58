/** Reductions over axes: the cotangent is spread over what was reduced. */
import type { Value } from "../../graph/builder.js";
import { type GradientRule, NoGradient, type Site } from "../rule.js";

/** What a reduction went over. */
export interface Reduced {
  readonly axes: readonly number[];
  /** Shape of the input with the reduced axes kept as 1. */
  readonly kept: readonly number[];
}

/** Axes of a reduction node: input 1, where empty or absent means all of them or, on request, none. */
export function reducedBy(site: Site): Reduced {
  const shape = site.inputShape(0);
  const given = site.has(1) ? site.constant(1) : [];
  if (given === null) throw new NoGradient("its axes are computed");
  const none = given.length === 0 && site.int("noop_with_empty_axes", 0) !== 0;
  const axes = none ? [] : given.length === 0 ? shape.map((_, i) => i) : given.map((a) => site.axis(a, shape.length));
  return { axes, kept: shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) };
}

/** `value`, of the reduction's output shape, with the reduced axes back as 1. */
export const unsqueezed = (site: Site, value: Value, { kept }: Reduced): Value =>
  site.int("keepdims", 1) !== 0 ? value : site.b.reshape(value, kept);

export const reduceSum: GradientRule = {
  op: "ReduceSum",
  pullback: (site) => [() => site.b.expand(unsqueezed(site, site.dy, reducedBy(site)), site.inputShape(0))],
};

/** The factor is applied before the cotangent is spread: it is smaller then. */
export const reduceMean: GradientRule = {
  op: "ReduceMean",
  pullback: (site) => [
    () => {
      const reduced = reducedBy(site);
      const shape = site.inputShape(0);
      const count = reduced.axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
      return site.b.expand(unsqueezed(site, site.b.scale(site.dy, 1 / count), reduced), shape);
    },
  ],
};

export const reduceSumSquare: GradientRule = {
  op: "ReduceSumSquare",
  pullback: (site) => [() => site.b.mul(site.input(0), unsqueezed(site, site.b.scale(site.dy, 2), reducedBy(site)))],
};

export const reduceL1: GradientRule = {
  op: "ReduceL1",
  pullback: (site) => [
    () => site.b.mul(site.b.op("Sign", [site.input(0)]), unsqueezed(site, site.dy, reducedBy(site))),
  ],
};

/** dx = x · dy/y; 0 where the norm is 0, as in PyTorch. */
export const reduceL2: GradientRule = {
  op: "ReduceL2",
  pullback: (site) => [
    () => {
      const { b } = site;
      const y = site.output();
      const norm = b.where(b.op("Equal", [y, b.scalar(0)]), b.scalar(1), y);
      return b.mul(site.input(0), unsqueezed(site, b.div(site.dy, norm), reducedBy(site)));
    },
  ],
};
