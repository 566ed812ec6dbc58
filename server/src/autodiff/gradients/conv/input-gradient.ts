/** The gradient of a convolution's input, by the fastest form that fits (measured: docs/engine.md). */
import type { GraphBuilder, Value } from "../../../graph/builder.js";
import { blockedAdjoint, convBlocks, reorderInput, reorderOutput } from "../../../runtime/blocked-conv.js";
import { all, extents, positive } from "../../window.js";
import { paysInBlocks } from "./blocks.js";
import { type Correlation, isDepthwise, places, taps, xShape } from "./correlation.js";
import type { Means } from "./form.js";

export interface InputForm {
  readonly name: string;
  readonly fits: (c: Correlation, means: Means) => boolean;
  /** Gradient of x, in its shape, from the cotangent of y and the weight. */
  readonly make: (b: GraphBuilder, c: Correlation, dy: Value, w: Value, means: Means) => Value;
}

/** Pads under which a convolution of dy with the flipped kernel gives x's lengths, where all strides are 1. */
const flippedPads = (c: Correlation): number[] => {
  const reach = extents(c).map((extent) => extent - 1);
  return [...c.begin.map((pad, axis) => reach[axis]! - pad), ...c.end.map((pad, axis) => reach[axis]! - pad)];
};

/** Stride 1: a convolution of dy with the kernel flipped in space and its channels exchanged. */
export const flipped: InputForm = {
  name: "flipped",
  fits: (c) => all(c.strides, 1) && flippedPads(c).every((pad) => pad >= 0),
  make: (b, c, dy, w) =>
    b.op("Conv", [dy, exchanged(b, c, w)], {
      kernel_shape: c.kernel,
      dilations: c.dilations,
      pads: flippedPads(c),
      group: c.group,
    }),
};

/** One tap and few places: a product with the weight as it is, which may be larger than x. */
export const product: InputForm = {
  name: "product",
  fits: (c) =>
    c.group === 1 && taps(c) === 1 && all([...c.begin, ...c.end], 0) && all(c.strides, 1) && c.batch * places(c) < 1000,
  make: (b, c, dy, w) => {
    const { batch, channels, maps } = c;
    const ofPlaces = b.reshape(dy, [batch, maps, places(c)]);
    return b.reshape(b.matMul(b.reshape(w, [maps, channels]), ofPlaces, { transA: true }), xShape(c));
  },
};

/** The convolution that gives x's gradient where all strides are 1, as far as its speed depends on it. */
const adjoint = (c: Correlation): Correlation => ({ ...c, channels: c.maps, maps: c.channels, output: c.input });

/** The flipped kernel in blocks of channels. */
export const blockedFlipped: InputForm = {
  name: "blocked flipped",
  fits: (c, means) => !means.twice && flipped.fits(c, means) && paysInBlocks(adjoint(c), means.kernels),
  make: (b, c, dy, w, { kernels }) => {
    const { kernel, dilations, group } = c;
    const weight = blockedAdjoint(b, kernels.nchwc!, c, w, kernel);
    const words = { kernel_shape: kernel, dilations, pads: flippedPads(c), group };
    return reorderOutput(b, convBlocks(b, [reorderInput(b, dy), weight], words), group * c.channels);
  },
};

/** Any stride. */
export const transposed: InputForm = {
  name: "transposed",
  fits: () => true,
  make: (b, c, dy, w) =>
    b.op("ConvTranspose", [dy, w], {
      kernel_shape: c.kernel,
      strides: c.strides,
      dilations: c.dilations,
      pads: [...c.begin, ...positive(c.end)],
      output_padding: positive(c.end.map((pad) => -pad)),
      group: c.group,
    }),
};

/** The first that fits is taken; the last fits always. */
export const inputForms: readonly InputForm[] = Object.freeze([product, blockedFlipped, flipped, transposed]);

export const inputGradient = (b: GraphBuilder, c: Correlation, means: Means, dy: Value, w: Value): Value =>
  (inputForms.find((form) => form.fits(c, means)) ?? transposed).make(b, c, dy, w, means);

/** The weight [g·maps, channels, taps] flipped in space, as [g·channels, maps, taps]. */
function exchanged(b: GraphBuilder, c: Correlation, w: Value): Value {
  const { group, maps, channels, kernel } = c;
  const count = taps(c);
  const last = -(2 ** 31);
  const lines = b.reshape(w, [group, maps, channels, count]);
  const back = count === 1 ? lines : b.slice(lines, [3], [count - 1], [last], [-1]);
  return b.reshape(isDepthwise(c) ? back : b.transpose(back, [0, 2, 1, 3]), [group * channels, maps, ...kernel]);
}
