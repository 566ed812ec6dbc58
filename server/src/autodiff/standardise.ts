/** (x − mean) / √(variance + ε) over some axes, what layer, group and instance normalisation have in common. */
import type { GraphBuilder, Value } from "../graph/builder.js";

export interface Standardised {
  /** The standardised x. */
  readonly hat: Value;
  /** 1 / √(variance + ε), the axes kept as 1. */
  readonly inverse: Value;
}

/** Standardises `x` by ordinary operators. */
export function standardised(b: GraphBuilder, x: Value, axes: readonly number[], epsilon: number): Standardised {
  const centred = b.sub(x, b.reduceMean(x, axes, true));
  const variance = b.reduceMean(b.mul(centred, centred), axes, true);
  const inverse = inverseDeviation(b, variance, epsilon);
  return { hat: b.mul(centred, inverse), inverse };
}

/** 1 / √(variance + ε). */
export const inverseDeviation = (b: GraphBuilder, variance: Value, epsilon: number): Value =>
  b.op("Reciprocal", [b.op("Sqrt", [b.add(variance, b.scalar(epsilon))])]);

/** Cotangent of x from that of the standardised x: inverse · (g − mean(g) − hat · mean(g · hat)). */
export function standardisedPullback(
  b: GraphBuilder,
  g: Value,
  { hat, inverse }: Standardised,
  axes: readonly number[],
): Value {
  const along = b.mul(hat, b.reduceMean(b.mul(g, hat), axes, true));
  return b.mul(b.sub(b.sub(g, b.reduceMean(g, axes, true)), along), inverse);
}
