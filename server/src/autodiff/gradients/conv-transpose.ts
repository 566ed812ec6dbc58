/**
 * ConvTranspose: the adjoint of a convolution with the same weight, so its cotangents are those of Conv with input and
 * output exchanged: dx = w ∗ dy, and dw that of a convolution that reads dy and whose output has the cotangent x.
 */
import type { Value } from "../../graph/builder.js";
import type { GradientRule, Site } from "../rule.js";
import { extents, positive, type Window, windowOf, withBegin } from "../window.js";
import { biasGradient } from "./conv.js";
import type { Correlation } from "./conv/correlation.js";
import { weightGradient } from "./conv/weight-gradient.js";

export const convTranspose: GradientRule = {
  op: "ConvTranspose",
  pullback: (site) => {
    const { b } = site;
    const c = correlationOf(site);
    const { kernel, strides, dilations, group } = c;
    return [
      () =>
        b.op("Conv", [covered(site, c), site.input(1)], {
          kernel_shape: kernel,
          strides,
          dilations,
          group,
          pads: [...c.begin, ...positive(c.end)],
        }),
      () => weightGradient(b, c, site, covered(site, c), site.input(0)),
      () => biasGradient(site, site.dy),
    ];
  },
};

/** The convolution whose adjoint the node is: from the covered part of the node's output to its input. */
function correlationOf(site: Site): Correlation {
  const [batch, inputs, ...output] = site.inputShape(0) as [number, number, ...number[]];
  const [, channels, ...kernel] = site.inputShape(1) as [number, number, ...number[]];
  const group = site.int("group", 1);
  const window = windowOfAdjoint(site, { input: site.outputShape().slice(2), output, kernel });
  // Output padding wider than a stride: no window of the convolution may begin there.
  const input = window.input.map((length, axis) => length + (reaches(window, axis) ? 0 : window.end[axis]!));
  const covering = withBegin({ ...window, input }, window.begin);
  return { ...covering, batch, group, channels, maps: inputs / group };
}

const reaches = ({ end, strides }: Window, axis: number): boolean => end[axis]! > -strides[axis]!;

/** Cotangent of the output, without what no window of the convolution may read. */
function covered(site: Site, { input }: Correlation): Value {
  const whole = site.outputShape().slice(2);
  const axes = whole.flatMap((length, axis) => (length > input[axis]! ? [axis] : []));
  if (axes.length === 0) return site.dy;
  return site.b.slice(
    site.dy,
    axes.map((axis) => axis + 2),
    axes.map(() => 0),
    axes.map((axis) => input[axis]!),
  );
}

/** The window, with the pads that ONNX Runtime derives from a given output shape or from `auto_pad`. */
function windowOfAdjoint(site: Site, lengths: Pick<Window, "input" | "output" | "kernel">): Window {
  const window = windowOf(site, lengths);
  const kind = site.string("auto_pad", "NOTSET");
  const shape = site.ints("output_shape");
  if (kind === "VALID" || (kind === "NOTSET" && shape === null)) return window;
  const { input, output, strides } = window;
  const padding = site.ints("output_padding") ?? output.map(() => 0);
  const begin = extents(window).map((extent, axis) => {
    const total = Math.max(0, (output[axis]! - 1) * strides[axis]! + padding[axis]! + extent - input[axis]!);
    return kind === "SAME_UPPER" ? total - Math.floor(total / 2) : Math.floor(total / 2);
  });
  return withBegin(window, begin);
}
