/** Any convolution: what each place reads, gathered by a convolution with one-hot kernels, and one product. */
import { positive } from "../../window.js";
import { taps } from "./correlation.js";
import type { WeightForm } from "./form.js";
import { sumOfProducts } from "./product.js";

export const columns: WeightForm = {
  name: "columns",
  fits: () => true,
  make: (b, c, x, dy) => {
    const { batch, group, channels, input, kernel, strides, dilations } = c;
    const count = taps(c);
    const oneHot = Float32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 : 0));
    const read = b.op(
      "Conv",
      [b.reshape(x, [batch * group * channels, 1, ...input]), b.literal("float", [count, 1, ...kernel], oneHot)],
      { kernel_shape: kernel, strides, dilations, pads: [...c.begin, ...positive(c.end)] },
    );
    return sumOfProducts(b, c, dy, read, channels * count);
  },
};
