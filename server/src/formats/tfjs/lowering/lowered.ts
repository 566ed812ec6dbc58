/** A tensor of a TensorFlow.js model while it is lowered: the value that stands for it in our graph, and how. */
import type { Value } from "../../../graph/builder.js";

/**
 * `plain`: the value's axes are those of tfjs. `channels-first`: tfjs has the channels last ([N, …, C]) and the value has
 * them second ([N, C, …]), as ONNX' convolutions want them.
 */
export type Layout = "plain" | "channels-first";

export interface Lowered {
  readonly value: Value;
  readonly layout: Layout;
  /** Lengths of tfjs' axes, in tfjs' order, whatever the layout; null where nothing is known, even their number. */
  readonly shape: readonly (number | null)[] | null;
}

/** The permutation that brings channels of a tensor of `rank` axes to the second place. */
export const toFirst = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];

/** The inverse of {@link toFirst}. */
export const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];

/** Where axis `axis` (of tfjs, negative counts from the end) of a tensor lies in its value. */
export function axisInValue({ layout, shape }: Lowered, axis: number): number {
  if (layout === "plain") return axis;
  const rank = shape!.length;
  return toFirst(rank).indexOf(axis < 0 ? axis + rank : axis);
}
