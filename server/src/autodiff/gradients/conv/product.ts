/** The product that ends most forms of the weight gradient. */
import type { GraphBuilder, Value } from "../../../graph/builder.js";
import { type Correlation, places, wShape } from "./correlation.js";

/** Below this number of places one product over samples and places beats one for each sample (measured). */
const onePlaces = 400;

/**
 * Σ over samples n and places l of dy[n, g·maps, l] · columns[n, g·rows, l]: the weight's gradient, where a column holds
 * what the taps of one place read, `rows` of them in each group, in the weight's order.
 */
export function sumOfProducts(b: GraphBuilder, c: Correlation, dy: Value, columns: Value, rows: number): Value {
  const { batch, group, maps } = c;
  const length = places(c);
  if (group === 1 && (batch === 1 || length < onePlaces)) {
    const side = (value: Value, height: number): Value =>
      b.reshape(batch === 1 ? value : b.transpose(b.reshape(value, [batch, height, length]), [1, 0, 2]), [
        height,
        batch * length,
      ]);
    const [left, right] = [side(dy, maps), side(columns, rows)];
    // The taller side first: ONNX Runtime spreads a product over threads along its rows.
    const product =
      rows >= maps
        ? b.transpose(b.op("Gemm", [right, left], { transB: 1 }), [1, 0])
        : b.op("Gemm", [left, right], { transB: 1 });
    return b.reshape(product, wShape(c));
  }
  const left = b.reshape(dy, [batch, group, maps, length]);
  const right = b.reshape(columns, [batch, group, rows, length]);
  const product =
    rows >= maps
      ? b.transpose(b.reduceSum(b.matMul(right, left, { transB: true }), [0]), [0, 2, 1])
      : b.reduceSum(b.matMul(left, right, { transB: true }), [0]);
  return b.reshape(product, wShape(c));
}
