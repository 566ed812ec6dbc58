/**
 * ConvTranspose: the adjoint of a convolution with the same weight, so its cotangents are those of Conv with input and
 * output exchanged: dx = w ∗ dy, and dw that of a convolution that reads dy and whose output has the cotangent x.
 */
import type { GradientRule, Site } from "../rule.js";
import { extents, positive, type Window, windowOf, withBegin } from "../window.js";
import { biasGradient } from "./conv.js";
import type { Correlation } from "./conv/correlation.js";
import { weightGradient } from "./conv/weight-gradient.js";

export const convTranspose: GradientRule = {
  op: "ConvTranspose",
  pullback: (site) => {
    const { b } = site;
    const c = adjointOf(site);
    const { kernel, strides, dilations, group } = c;
    const pads = [...c.begin, ...positive(c.end)];
    return [
      () => b.op("Conv", [site.dy, site.input(1)], { kernel_shape: kernel, strides, dilations, group, pads }),
      () => weightGradient(b, c, site, site.dy, site.input(0)),
      () => biasGradient(site, site.dy),
    ];
  },
};

/** The convolution whose adjoint the node is: from the node's output to its input. */
function adjointOf(site: Site): Correlation {
  const [batch, inputs, ...output] = site.inputShape(0) as [number, number, ...number[]];
  const [, channels, ...kernel] = site.inputShape(1) as [number, number, ...number[]];
  const group = site.int("group", 1);
  const window = adjointWindow(site, { input: site.outputShape().slice(2), output, kernel });
  return { ...window, batch, group, channels, maps: inputs / group };
}

/** The window, with pads that follow from a given output shape or `auto_pad` where they are not given. */
function adjointWindow(site: Site, lengths: Pick<Window, "input" | "output" | "kernel">): Window {
  const window = windowOf(site, lengths);
  const kind = site.string("auto_pad", "NOTSET");
  if (kind === "VALID" || (kind === "NOTSET" && site.ints("output_shape") === null)) return window;
  const { input, output, strides } = window;
  const padding = site.ints("output_padding") ?? output.map(() => 0);
  const begin = extents(window).map((extent, axis) => {
    const total = Math.max(0, (output[axis]! - 1) * strides[axis]! + padding[axis]! + extent - input[axis]!);
    return kind === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
  return withBegin(window, begin);
}
