/** A window of one tap: what it reads is x itself, or every stride-th element of it. */
import { all } from "../../window.js";
import { taps } from "./correlation.js";
import type { WeightForm } from "./form.js";
import { sumOfProducts } from "./product.js";

export const pointwise: WeightForm = {
  name: "pointwise",
  fits: (c) => taps(c) === 1 && all(c.begin, 0) && c.end.every((end) => end <= 0),
  make: (b, c, x, dy) => {
    const axes = c.input.map((_, axis) => axis + 2);
    const whole = all(c.strides, 1) && all(c.end, 0);
    const starts = axes.map(() => 0);
    const ends = c.output.map((length, axis) => (length - 1) * c.strides[axis]! + 1);
    return sumOfProducts(b, c, dy, whole ? x : b.slice(x, axes, starts, ends, c.strides), c.channels);
  },
};
