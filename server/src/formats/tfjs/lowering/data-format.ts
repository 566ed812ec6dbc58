/**
 * Tensors that have their channels second in TensorFlow.js already (`channelsFirst`, NCHW). To operators that want
 * channels last they are tensors whose value has the right order as it is.
 */
import type { Lowered } from "./lowered.js";
import type { Lowering } from "./lowering.js";

type Shape = readonly (number | null)[];

/** Whether a data format, in the words of Keras or TensorFlow, has the channels second. */
export const hasChannelsFirst = (format: unknown): boolean =>
  typeof format === "string" && /^(channels_?first|NC(DHW|HW|W))$/i.test(format);

/** A shape with channels second, as one with channels last. */
export const shapeWithChannelsLast = ([batch, channels, ...others]: Shape): Shape => [batch!, ...others, channels!];

/** A shape with channels last, as one with channels second. */
export const shapeWithChannelsFirst = ([batch, ...others]: Shape): Shape => [
  batch!,
  others.at(-1)!,
  ...others.slice(0, -1),
];

/** A tensor that has its channels second in TensorFlow.js, as one that has them last. */
export const withChannelsLast = (lowering: Lowering, x: Lowered): Lowered =>
  lowering.first(lowering.lastValue(x), shapeWithChannelsLast(x.shape!));

/** The inverse of {@link withChannelsLast}. */
export const withChannelsFirst = (lowering: Lowering, x: Lowered): Lowered =>
  lowering.plain(lowering.firstValue(x), shapeWithChannelsFirst(x.shape!));
