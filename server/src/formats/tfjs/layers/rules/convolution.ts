/** Convolutions over one, two or three axes: kernel [...window, in / groups, filters]. */
import { activate } from "../../lowering/activations.js";
import { convolve } from "../../lowering/convolution.js";
import { type LayerRule, lengths, only } from "../rule.js";

export const convolution: LayerRule = {
  classes: ["Conv1D", "Conv2D", "Conv3D"],
  lower: (call) => {
    const { lowering, config, className } = call;
    const axes = Number(className[4]);
    const sum = convolve(lowering, only(call), {
      kernel: call.weight("kernel")!,
      bias: call.weight("bias"),
      strides: lengths(config["strides"], axes, 1),
      dilations: lengths(config["dilationRate"], axes, 1),
      padding: config["padding"] as string,
      shape: call.outputShapes[0]!,
    });
    return [activate(lowering, config["activation"], sum)];
  },
};
