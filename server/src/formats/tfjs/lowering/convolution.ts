/**
 * Convolutions. The kernel stays as it is stored, with its window first, behind a Transpose to ONNX' order; the result
 * has its channels first.
 */
import type { Lowered } from "./lowered.js";
import type { Lowering } from "./lowering.js";
import { type Padding, paddingWords } from "./padding.js";

export interface Convolution {
  readonly kernel: Lowered;
  readonly bias: Lowered | null;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  /** Of the result, in tfjs' order. */
  readonly shape: readonly (number | null)[];
}

/** A convolution with a kernel [...window, in, out]. */
export function convolve(lowering: Lowering, x: Lowered, options: Convolution): Lowered {
  const { kernel, strides } = options;
  const axes = strides.length;
  const weight = lowering.transposed(kernel.value, [axes + 1, axes, ...strides.keys()]);
  return conv(lowering, x, weight, 1, options);
}

/** A convolution of each channel by itself, with a kernel [...window, in, multiplier]; output in · multiplier + m. */
export function convolveDepthwise(lowering: Lowering, x: Lowered, options: Convolution): Lowered {
  const { kernel, strides } = options;
  const axes = strides.length;
  const [channels, multiplier] = kernel.shape!.slice(axes) as [number, number];
  const turned = lowering.transposed(kernel.value, [axes, axes + 1, ...strides.keys()]);
  const window = kernel.shape!.slice(0, axes);
  const weight = multiplier === 1 ? turned : lowering.reshaped(turned, [channels * multiplier, 1, ...window]);
  return conv(lowering, x, weight, channels, options);
}

function conv(lowering: Lowering, x: Lowered, weight: string, group: number, options: Convolution): Lowered {
  const { kernel, bias, strides, dilations, padding, shape } = options;
  const window = kernel.shape!.slice(0, strides.length) as number[];
  const inputs = [lowering.firstValue(x), weight, ...(bias === null ? [] : [bias.value])];
  const words = { kernel_shape: window, strides, dilations, group, ...paddingWords(padding, window, dilations) };
  return lowering.first(lowering.op("Conv", inputs, words), shape);
}

export interface TransposedConvolution extends Omit<Convolution, "padding"> {
  /** What is cut off before each axis, then after each. */
  readonly pads: readonly number[];
  /** What is added behind each axis. */
  readonly outputPadding: readonly number[];
}

/** The transpose of a convolution (of its gradient's form), with a kernel [...window, out, in]. */
export function convolveTransposed(lowering: Lowering, x: Lowered, options: TransposedConvolution): Lowered {
  const { kernel, bias, strides, dilations, pads, outputPadding, shape } = options;
  const axes = strides.length;
  const weight = lowering.transposed(kernel.value, [axes + 1, axes, ...strides.keys()]);
  const value = lowering.op("ConvTranspose", [lowering.firstValue(x), weight, ...(bias === null ? [] : [bias.value])], {
    kernel_shape: kernel.shape!.slice(0, axes) as number[],
    strides,
    dilations,
    group: 1,
    pads,
    ...(outputPadding.every((length) => length === 0) ? {} : { output_padding: outputPadding }),
  });
  return lowering.first(value, shape);
}
