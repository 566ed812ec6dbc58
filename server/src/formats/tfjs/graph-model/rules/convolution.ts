/** Convolutions, alone and with what TensorFlow fuses into them. */
import { convolve, convolveDepthwise } from "../../lowering/convolution.js";
import { withChannelsFirst, withChannelsLast } from "../../lowering/data-format.js";
import type { Lowered } from "../../lowering/lowered.js";
import type { Dilation } from "../dilated.js";
import { activation, fusedOps } from "../fused.js";
import { type OpRule, type OpSite, ranked, Unlowered } from "../rule.js";
import { innerInts, isFirst, paddingOf, type Sliding, slidLengths } from "../windows.js";

/** What a rule says of its operator. */
interface Form {
  /** Axes between batch and channels. */
  readonly axes: number;
  readonly depthwise: boolean;
}

export const conv2d: OpRule = {
  ops: ["Conv2D", "_FusedConv2D"],
  lower: (site) => lowerConvolution(site, { axes: 2, depthwise: false }),
};

export const depthwiseConv2d: OpRule = {
  ops: ["DepthwiseConv2d", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"],
  lower: (site) => {
    if (isFirst(site.node)) throw new Unlowered("TensorFlow.js takes its data_format NCHW for NHWC");
    return lowerConvolution(site, { axes: 2, depthwise: true });
  },
};

export const conv3d: OpRule = {
  ops: ["Conv3D"],
  lower: (site) => {
    if (isFirst(site.node)) throw new Unlowered("TensorFlow.js has no Conv3D with data_format NCDHW");
    return lowerConvolution(site, { axes: 3, depthwise: false });
  },
};

export const conv1d: OpRule = {
  ops: ["Conv1D"],
  lower: (site) => lowerConvolution(site, { axes: 1, depthwise: false }),
};

function lowerConvolution(site: OpSite, form: Form): readonly Lowered[] {
  const { lowering, node, inputs, takeBias } = site;
  const { axes, depthwise } = form;
  const first = isFirst(node);
  // TensorFlow.js reads the second and third of them, whatever the format.
  if (first && [...node.ints("strides"), ...node.ints("dilations")].some((step) => step !== 1))
    throw new Unlowered("TensorFlow.js takes strides and dilations of data_format NCHW for those of NHWC");
  const given = ranked(inputs[0]!, axes + 2);
  const x = first ? ranked(withChannelsLast(lowering, given), axes + 2) : given;
  const kernel = ranked(inputs[1]!, axes + 2);
  if (kernel.shape.includes(null)) throw new Unlowered("the shape of its kernel is not known");
  const shape = kernel.shape as readonly number[];
  const inner = x.shape.slice(1, -1);
  const dilation = site.dilations.get(node.name) ?? null;
  const sliding = slidingOf(site, form, shape.slice(0, axes), inner, dilation);
  const channels = depthwise ? shape[axes]! * shape[axes + 1]! : shape[axes + 1]!;
  const fused = fusedOps(site, 2);
  const bias = fused.bias ?? (fused.ops.length > 0 || first ? null : takeBias(channels));
  const made = (depthwise ? convolveDepthwise : convolve)(lowering, x, {
    kernel,
    bias,
    ...sliding,
    shape: [x.shape[0]!, ...slidLengths(inner, sliding), channels],
  });
  const result = activation(site, made, fused);
  return [first ? withChannelsFirst(lowering, result) : result];
}

function slidingOf(
  { node }: OpSite,
  { axes }: Form,
  window: readonly number[],
  lengths: readonly (number | null)[],
  dilation: Dilation | null,
): Sliding {
  if (dilation !== null)
    return { window, strides: window.map(() => 1), dilations: dilation.dilations, padding: dilation.pads };
  const plain =
    axes === 1
      ? { window, strides: [node.int("stride", 1)], dilations: [node.int("dilation", 1)] }
      : { window, strides: innerInts(node, "strides", axes), dilations: innerInts(node, "dilations", axes) };
  return { ...plain, padding: paddingOf(node, lengths, plain) };
}
