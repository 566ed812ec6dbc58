/** Masks of 0 and 1 as floats, by the cheapest operators that make them (measured: docs/engine.md). */
import type { GraphBuilder, Value } from "../graph/builder.js";

/** 1 where x > 0, else 0: a HardSigmoid so steep that no normal float lies on its slope. */
export const above = (b: GraphBuilder, x: Value): Value =>
  b.op("HardSigmoid", [x], { alpha: { float: 1e38 }, beta: { float: 0 } });

/** 1 where low < x < high, else 0. Bounds may be infinite. */
export function between(b: GraphBuilder, x: Value, low: number, high: number): Value {
  const over = (): Value => above(b, low === 0 ? x : b.sub(x, b.scalar(low)));
  const under = (): Value => above(b, b.sub(b.scalar(high), x));
  if (low === -Infinity) return under();
  if (high === Infinity) return over();
  return b.mul(over(), under());
}
