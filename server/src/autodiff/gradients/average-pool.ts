/** AveragePool: each cotangent is spread evenly over the elements of its window. */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import { elementCount } from "../../graph/tensor.js";
import type { GradientRule, Site } from "../rule.js";
import { all, positive, type Window, windowOf } from "../window.js";

/** A pool as its gradient sees it. */
interface Pool {
  readonly shape: readonly number[];
  readonly window: Window;
  /** Elements that each place averages, by axis; null when it is the whole window everywhere. */
  readonly counts: readonly (readonly number[])[] | null;
}

/** One way to spread cotangents; `dy` is divided by its count already when counts differ. */
interface Form {
  readonly fits: (window: Window) => boolean;
  readonly make: (b: GraphBuilder, pool: Pool, dy: Value) => Value;
}

/** Windows that tile the input. */
const tiles: Form = {
  fits: ({ begin, end, kernel, strides, dilations }) =>
    all(begin, 0) && all(end, 0) && all(dilations, 1) && kernel.every((length, axis) => length === strides[axis]),
  make: (b, { shape, window }, dy) => {
    const outer = shape.slice(0, 2);
    const share = b.scale(dy, 1 / elementCount(window.kernel));
    const split = b.reshape(share, [...outer, ...window.output.flatMap((length) => [length, 1])]);
    const { kernel } = window;
    return b.reshape(b.expand(split, [...outer, ...window.output.flatMap((n, axis) => [n, kernel[axis]!])]), shape);
  },
};

/** Stride 1: an average again, over the window turned round. */
const averages: Form = {
  fits: ({ begin, end, kernel, strides, dilations }) =>
    all(strides, 1) && all(dilations, 1) && [...begin, ...end].every((pad, i) => pad < kernel[i % kernel.length]!),
  make: (b, { window: { begin, end, kernel } }, dy) => {
    const pads = [...begin, ...end].map((pad, i) => kernel[i % kernel.length]! - 1 - pad);
    return b.op("AveragePool", [dy], { kernel_shape: kernel, pads, count_include_pad: 1 });
  },
};

/** Any window: a transposed convolution of each channel alone. */
const transposes: Form = {
  fits: () => true,
  make: (b, { shape, window }, dy) => {
    const { kernel, strides, dilations, begin, end, output } = window;
    const rows = elementCount(shape.slice(0, 2));
    const taps = elementCount(kernel);
    const spread = b.op(
      "ConvTranspose",
      [b.reshape(dy, [rows, 1, ...output]), b.literal("float", [1, 1, ...kernel], Array<number>(taps).fill(1 / taps))],
      {
        kernel_shape: kernel,
        strides,
        dilations,
        pads: [...begin, ...positive(end)],
        output_padding: positive(end.map((pad) => -pad)),
      },
    );
    return b.reshape(spread, shape);
  },
};

const forms: readonly Form[] = [tiles, averages, transposes];

export const averagePool: GradientRule = {
  op: "AveragePool",
  pullback: (site) => [
    () => {
      const { b } = site;
      const pool = poolOf(site);
      const form = forms.find(({ fits }) => fits(pool.window)) ?? transposes;
      return form.make(b, pool, pool.counts === null ? site.dy : b.mul(site.dy, shares(b, pool.window, pool.counts)));
    },
  ],
};

function poolOf(site: Site): Pool {
  const shape = site.inputShape(0);
  const kernel = site.ints("kernel_shape") ?? [];
  const window = windowOf(site, { input: shape.slice(2), output: site.outputShape().slice(2), kernel });
  const counts = countsOf(site, window);
  const whole = counts.every((line, axis) => all(line, kernel[axis]!));
  return { shape, window, counts: whole ? null : counts };
}

/**
 * Elements that count at each place of each axis: those of the input, with `count_include_pad` the pads too, but never
 * those beyond the pads, which windows reach with `ceil_mode`.
 */
function countsOf(site: Site, { input, output, kernel, strides, dilations, begin, end }: Window): number[][] {
  const padded = site.int("count_include_pad", 0) !== 0;
  const given = site.string("auto_pad", "NOTSET") === "NOTSET" ? site.ints("pads") : null;
  return input.map((length, axis) => {
    const before = padded ? begin[axis]! : 0;
    const after = padded ? (given?.[axis + input.length] ?? Math.max(0, end[axis]!)) : 0;
    return Array.from({ length: output[axis]! }, (_, place) => {
      const first = place * strides[axis]! - begin[axis]!;
      const read = Array.from({ length: kernel[axis]! }, (_, tap) => first + tap * dilations[axis]!);
      return read.filter((at) => at >= -before && at < length + after).length;
    });
  });
}

/** Taps of the window over elements that count, for each place: what a cotangent is multiplied by before it is averaged. */
function shares(b: GraphBuilder, { kernel, output }: Window, counts: readonly (readonly number[])[]): Value {
  let values = [elementCount(kernel)];
  for (const line of counts) values = values.flatMap((value) => line.map((count) => value / count));
  return b.literal("float", [...output], values);
}
