/** Masks of 0 and 1 as floats, by the cheapest operators that make them (measured: docs/engine.md). */
import type { GraphBuilder, Value } from "../graph/builder.js";

/** A HardSigmoid of this slope or a steeper one is a step: it has no derivative but 0. */
export const steep = 1e30;

/** 1 where x > 0, else 0: a HardSigmoid so steep that no normal float lies on its slope. */
export const above = (b: GraphBuilder, x: Value): Value =>
  b.op("HardSigmoid", [x], { alpha: { float: 1e38 }, beta: { float: 0 } });

/** 1 where x > 0, ½ where x = 0, else 0. */
export const aboveOrHalf = (b: GraphBuilder, x: Value): Value =>
  b.op("HardSigmoid", [x], { alpha: { float: 1e38 }, beta: { float: 0.5 } });

/** 1 where low < x < high, else 0: where (x − low)(high − x) is positive. A bound that is null bounds nothing. */
export function between(b: GraphBuilder, x: Value, low: Value | 0 | null, high: Value | null): Value {
  const over = low === null ? null : low === 0 ? x : b.sub(x, low);
  const under = high === null ? null : b.sub(high, x);
  if (over !== null && under !== null) return above(b, b.mul(over, under));
  return above(b, over ?? under ?? x);
}
