/** Windows that tile x without overlap or gap, as the patch embedding of a vision transformer: x in another order. */
import { all } from "../../window.js";
import { taps } from "./correlation.js";
import type { WeightForm } from "./form.js";
import { sumOfProducts } from "./product.js";

export const patches: WeightForm = {
  name: "patches",
  fits: (c) =>
    all(c.begin, 0) &&
    all(c.end, 0) &&
    c.kernel.every((length, axis) => length === c.strides[axis] && (length === 1 || c.dilations[axis] === 1)),
  make: (b, c, x, dy) => {
    const { batch, group, channels, output, kernel } = c;
    const split = b.reshape(x, [batch, group * channels, ...output.flatMap((length, axis) => [length, kernel[axis]!])]);
    const ofTaps = kernel.map((_, axis) => 3 + 2 * axis);
    const ofPlaces = kernel.map((_, axis) => 2 + 2 * axis);
    const columns = b.transpose(split, [0, 1, ...ofTaps, ...ofPlaces]);
    return sumOfProducts(b, c, dy, columns, channels * taps(c));
  },
};
