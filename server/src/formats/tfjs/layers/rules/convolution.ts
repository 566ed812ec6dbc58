/** Convolutions over one, two or three axes: kernel [...window, in, filters]. */
import { activate } from "../../lowering/activations.js";
import { convolve } from "../../lowering/convolution.js";
import { imageOf, outOf } from "../image.js";
import { type LayerRule, lengths } from "../rule.js";

export const convolution: LayerRule = {
  classes: ["Conv1D", "Conv2D", "Conv3D"],
  lower: (call) => {
    const { lowering, config, className, layer } = call;
    const axes = Number(className[4]);
    if (axes === 1 && (layer as { dataFormat?: unknown }).dataFormat === "channelsFirst")
      return call.unlowered("TensorFlow.js gives its channels last although they come first");
    const padding = config["padding"] as string;
    const { x, shape } = imageOf(call);
    if (padding === "causal")
      lowering.notes.push(
        `"${lowering.scope}" (${className}) has causal padding, which TensorFlow.js does not run: it is lowered as Keras defines it.`,
      );
    const sum = convolve(lowering, x, {
      kernel: call.weight("kernel")!,
      bias: call.weight("bias"),
      strides: lengths(config["strides"], axes, 1),
      dilations: lengths(config["dilationRate"], axes, 1),
      padding,
      // TensorFlow.js takes causal padding for none when it says shapes.
      shape: padding === "causal" ? shape.map((length, axis) => (axis === 1 ? null : length)) : shape,
    });
    return [activate(lowering, config["activation"], outOf(call, sum))];
  },
};
