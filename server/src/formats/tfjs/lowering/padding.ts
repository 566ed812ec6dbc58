/** Paddings of windows that slide, in words of ONNX. TensorFlow's `same` adds what cannot be shared evenly at the end. */

/** `same`, `valid` or `causal` in any case; or zeros before each axis, then after each. */
export type Padding = string | readonly number[];

export interface PaddingWords {
  readonly auto_pad?: string;
  readonly pads?: readonly number[];
}

/**
 * Attributes of an operator with a window of these lengths. Where a window is dilated, TensorFlow.js takes no steps longer
 * than 1: `same` then adds the same whatever the image's size, which ONNX Runtime wants said.
 */
export function paddingWords(
  padding: Padding,
  window: readonly number[],
  dilations: readonly number[] = window.map(() => 1),
): PaddingWords {
  if (typeof padding !== "string") return { pads: padding };
  switch (padding.toLowerCase()) {
    case "same": {
      if (dilations.every((rate) => rate === 1)) return { auto_pad: "SAME_UPPER" };
      const over = window.map((length, axis) => (length - 1) * dilations[axis]!);
      return { pads: [...over.map((all) => Math.floor(all / 2)), ...over.map((all) => Math.ceil(all / 2))] };
    }
    case "causal":
      return { pads: [...window.map((length, axis) => (length - 1) * dilations[axis]!), ...window.map(() => 0)] };
    default:
      return { auto_pad: "VALID" };
  }
}

/**
 * What a transposed convolution cuts off at both ends, and adds behind, so that `same` gives stride · length and `valid`
 * stride · length + max(window − stride, 0), as Keras has it.
 */
export function transposedPadding(
  padding: string,
  window: readonly number[],
  strides: readonly number[],
): { readonly pads: readonly number[]; readonly outputPadding: readonly number[] } {
  const over = window.map((length, axis) => (padding.toLowerCase() === "same" ? length - strides[axis]! : 0));
  const before = over.map((length) => Math.floor(Math.max(length, 0) / 2));
  const after = over.map((length, axis) => Math.max(length, 0) - before[axis]!);
  return {
    pads: [...before, ...after],
    outputPadding: window.map((length, axis) => Math.max(strides[axis]! - length, 0)),
  };
}
