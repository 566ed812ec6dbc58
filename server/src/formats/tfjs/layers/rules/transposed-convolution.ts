/** Transposed convolutions: kernel [...window, filters, in]. */
import { activate } from "../../lowering/activations.js";
import { convolveTransposed } from "../../lowering/convolution.js";
import { transposedPadding } from "../../lowering/padding.js";
import { imageOf, outOf } from "../image.js";
import { type LayerRule, lengths } from "../rule.js";

export const transposedConvolution: LayerRule = {
  classes: ["Conv2DTranspose", "Conv3DTranspose"],
  lower: (call) => {
    const { lowering, config, className } = call;
    const axes = Number(className[4]);
    const { x, shape } = imageOf(call);
    const kernel = call.weight("kernel")!;
    const strides = lengths(config["strides"], axes, 1);
    const sum = convolveTransposed(lowering, x, {
      kernel,
      bias: call.weight("bias"),
      strides,
      dilations: strides.map(() => 1),
      ...transposedPadding(config["padding"] as string, kernel.shape!.slice(0, axes) as number[], strides),
      shape,
    });
    return [activate(lowering, config["activation"], outOf(call, sum))];
  },
};
