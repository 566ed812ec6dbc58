/**
 * Three by three taps that keep the lengths. Tap (i, j) of the gradient is a product of dy moved by i − 1 rows and x
 * moved by j − 1 columns: six moved copies instead of the nine of im2col.
 */
import type { GraphBuilder, Value } from "../../../graph/builder.js";
import { all } from "../../window.js";
import { type Correlation, places, wShape } from "./correlation.js";
import type { WeightForm } from "./form.js";

const three = [0, 1, 2] as const;

const keepsLengths = (c: Correlation): boolean =>
  c.group === 1 &&
  c.kernel.length === 2 &&
  all(c.kernel, 3) &&
  all(c.strides, 1) &&
  c.dilations.every((step, axis) => c.begin[axis] === step && c.end[axis] === step && step < c.input[axis]!);

/** `value` moved by −step, 0 and step along an axis, zeros moving in. */
function moved(b: GraphBuilder, value: Value, axis: number, step: number): Value[] {
  const at = (length: number): number[] => [0, 1, 2, 3].map((i) => (i === axis ? length : 0));
  return [b.pad(value, at(-step), at(step)), value, b.pad(value, at(step), at(-step))];
}

/** Many places: nine products for each sample. */
export const nineProducts: WeightForm = {
  name: "nine products",
  fits: (c) => keepsLengths(c) && places(c) >= 400,
  make: (b, c, x, dy) => {
    const { batch, channels, maps } = c;
    const ys = moved(b, dy, 2, c.dilations[0]!).map((y) => b.reshape(y, [batch, maps, places(c)]));
    const xs = moved(b, x, 3, c.dilations[1]!).map((moved) => b.reshape(moved, [batch, channels, places(c)]));
    const products = three.flatMap((i) =>
      three.map((j) =>
        b.reshape(b.reduceSum(b.matMul(ys[i]!, xs[2 - j]!, { transB: true }), [0]), [maps, channels, 1]),
      ),
    );
    return b.reshape(b.concat(products, 2), wShape(c));
  },
};

/** Fewer places: one product over all samples. */
export const oneProduct: WeightForm = {
  name: "one product",
  fits: (c) => keepsLengths(c) && places(c) >= 100 && places(c) < 400,
  make: (b, c, x, dy) => {
    const { batch, channels, maps } = c;
    const length = batch * places(c);
    const first = (value: Value): Value => (batch === 1 ? value : b.transpose(value, [1, 0, 2, 3]));
    const stacked = (parts: readonly Value[], height: number): Value =>
      b.reshape(b.concat(parts, batch === 1 ? 1 : 0), [3 * height, length]);
    const ys = stacked(moved(b, first(dy), 2, c.dilations[0]!), maps);
    const xs = stacked(moved(b, first(x), 3, c.dilations[1]!).reverse(), channels);
    const product = b.reshape(b.op("Gemm", [ys, xs], { transB: 1 }), [3, maps, 3, channels]);
    return b.reshape(b.transpose(product, [1, 3, 0, 2]), wShape(c));
  },
};
