/** Pooling over windows, and over all of an image. An average counts what lies in the image only. */
import type { Lowered } from "./lowered.js";
import type { Lowering } from "./lowering.js";
import { type Padding, paddingWords } from "./padding.js";

export type Pool = "Average" | "Max";

export interface Pooling {
  readonly pool: Pool;
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: Padding;
  /** Of MaxPool alone. */
  readonly dilations?: readonly number[];
  /** Of the result, in tfjs' order. */
  readonly shape: readonly (number | null)[];
}

/** Pools over windows of a tensor with one, two or three axes between batch and channels. */
export function poolOver(lowering: Lowering, x: Lowered, options: Pooling): Lowered {
  const { pool, window, strides, padding, dilations, shape } = options;
  const value = lowering.op(`${pool}Pool`, [lowering.firstValue(x)], {
    kernel_shape: window,
    strides,
    ...(dilations === undefined ? {} : { dilations }),
    ...paddingWords(padding, window, dilations),
  });
  return lowering.first(value, shape);
}

/** Pools over all axes between batch and channels, which then are gone. */
export function poolGlobally(lowering: Lowering, x: Lowered, pool: Pool): Lowered {
  const shape = [x.shape![0]!, x.shape!.at(-1)!];
  if (x.layout === "channels-first") {
    const pooled = lowering.op(`Global${pool}Pool`, [x.value]);
    return lowering.plain(lowering.op("Flatten", [pooled], { axis: 1 }), shape);
  }
  const axes = x.shape!.slice(2).map((_, i) => i + 1);
  const op = pool === "Max" ? "ReduceMax" : "ReduceMean";
  return lowering.plain(lowering.op(op, [x.value, lowering.ints(axes)], { keepdims: 0 }), shape);
}
