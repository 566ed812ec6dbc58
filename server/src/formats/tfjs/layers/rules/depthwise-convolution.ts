/**
 * DepthwiseConv2D and SeparableConv2D: a convolution of each channel by itself, kernel [...window, in, multiplier]; of the
 * separable one, then a convolution of single points.
 */
import { activate } from "../../lowering/activations.js";
import { convolve, convolveDepthwise } from "../../lowering/convolution.js";
import { hasChannelsFirst } from "../../lowering/data-format.js";
import { imageOf, outOf } from "../image.js";
import { type LayerRule, lengths } from "../rule.js";

export const depthwiseConvolution: LayerRule = {
  classes: ["DepthwiseConv2D"],
  lower: (call) => {
    const { lowering, config } = call;
    const { x, shape } = imageOf(call);
    if (lengths(config["dilationRate"], 2, 1).some((rate) => rate !== 1))
      lowering.notes.push(
        `"${lowering.scope}" (DepthwiseConv2D) has a dilation rate, which TensorFlow.js leaves out: so does the lowered graph.`,
      );
    const sum = convolveDepthwise(lowering, x, {
      kernel: call.weight("depthwise_kernel")!,
      bias: call.weight("bias"),
      strides: lengths(config["strides"], 2, 1),
      dilations: [1, 1],
      padding: config["padding"] as string,
      shape,
    });
    return [activate(lowering, config["activation"], outOf(call, sum))];
  },
};

export const separableConvolution: LayerRule = {
  classes: ["SeparableConv2D"],
  lower: (call) => {
    const { lowering, config } = call;
    const bias = call.weight("bias");
    if (bias !== null && hasChannelsFirst(config["dataFormat"]))
      return call.unlowered("TensorFlow.js adds its bias along another axis than its channels");
    const { x, shape } = imageOf(call);
    const kernel = call.weight("depthwise_kernel")!;
    const between = convolveDepthwise(lowering, x, {
      kernel,
      bias: null,
      strides: lengths(config["strides"], 2, 1),
      dilations: lengths(config["dilationRate"], 2, 1),
      padding: config["padding"] as string,
      shape: [...shape.slice(0, -1), kernel.shape![2]! * kernel.shape![3]!],
    });
    const sum = convolve(lowering, between, {
      kernel: call.weight("pointwise_kernel")!,
      bias,
      strides: [1, 1],
      dilations: [1, 1],
      padding: "valid",
      shape,
    });
    return [activate(lowering, config["activation"], outOf(call, sum))];
  },
};
