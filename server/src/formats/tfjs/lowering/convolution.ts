/**
 * Convolutions. The kernel stays as it is stored, [...window, in, out], behind a Transpose to ONNX' [out, in, ...window].
 * TensorFlow's `same` is ONNX' SAME_UPPER: what cannot be shared evenly is added at the end.
 */
import type { Lowered } from "./lowered.js";
import type { Lowering } from "./lowering.js";

export interface Convolution {
  readonly kernel: Lowered;
  readonly bias: Lowered | null;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** `same`, `valid` or `causal`. */
  readonly padding: string;
  /** Of the result, in tfjs' order. */
  readonly shape: readonly (number | null)[];
}

export function convolve(lowering: Lowering, x: Lowered, options: Convolution): Lowered {
  const { kernel, bias, strides, dilations, padding, shape } = options;
  const axes = strides.length;
  const window = kernel.shape!.slice(0, axes) as number[];
  const weight = lowering.op("Transpose", [kernel.value], {
    perm: [axes + 1, axes, ...window.map((_, axis) => axis)],
  });
  const inputs = [lowering.firstValue(x), weight, ...(bias === null ? [] : [bias.value])];
  const channels = x.shape!.at(-1)!;
  const value = lowering.op("Conv", inputs, {
    kernel_shape: window,
    strides,
    dilations,
    group: channels / kernel.shape![axes]!,
    ...paddingWords(padding, window, dilations),
  });
  return lowering.first(value, shape);
}

/** Attributes for a padding in Keras' words. */
export function paddingWords(
  padding: string,
  window: readonly number[],
  dilations: readonly number[],
): { auto_pad?: string; pads?: number[] } {
  switch (padding.toLowerCase()) {
    case "same":
      return { auto_pad: "SAME_UPPER" };
    case "causal":
      return { pads: [...window.map((length, axis) => (length - 1) * dilations[axis]!), ...window.map(() => 0)] };
    default:
      return { auto_pad: "VALID" };
  }
}
