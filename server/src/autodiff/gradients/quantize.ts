/**
 * QuantizeLinear and DequantizeLinear, straight through: rounding counts as the identity, and what lies outside of the
 * range of the integers gets no cotangent, so that the pair is the identity inside the range (Bengio et al. 2013,
 * arXiv 1308.3432; PyTorch's fake_quantize). The cotangent of the integers is a float one.
 */
import type { Value } from "../../graph/builder.js";
import { castTo } from "../../graph/literal.js";
import type { DType } from "../../../protocol/model.js";
import { between } from "../masks.js";
import { type GradientRule, NoGradient, type Site } from "../rule.js";

/** Smallest and largest integer of the types that are quantised to. */
const ranges: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** A scale or zero point in a shape that is broadcast to the input: one number, or one for each element of an axis. */
function alongAxis(site: Site, value: Value, parameter: number): Value {
  const shape = site.inputShape(0);
  const own = site.inputShape(parameter);
  if (site.int("block_size", 0) !== 0) throw new NoGradient("it is quantised in blocks");
  if (own.length === 0) return value;
  if (own.length > 1) throw new NoGradient("its scales have more than one axis");
  const axis = site.axis(site.int("axis", 1), shape.length);
  return site.b.reshape(value, own[0] === 1 ? [] : shape.map((dim, i) => (i === axis ? dim : 1)));
}

/** Axes that a scale is shared over. */
function sharedAxes(site: Site): number[] {
  const shape = site.inputShape(0);
  const own = site.inputShape(1);
  const axis = site.axis(site.int("axis", 1), shape.length);
  const perAxis = own.length === 1 && own[0] !== 1;
  return shape.flatMap((_, i) => (perAxis && i === axis ? [] : [i]));
}

/** Zero point as floats; null when it is 0. */
const zeroPoint = (site: Site): Value | null =>
  site.has(2) ? alongAxis(site, site.b.cast(site.input(2), castTo("float")), 2) : null;

export const quantizeLinear: GradientRule = {
  op: "QuantizeLinear",
  anyType: true,
  quantises: true,
  pullback: (site) => [
    () => {
      const { b } = site;
      const range = ranges[site.dtype(site.node.outputs[0] ?? "")];
      if (range === undefined) throw new NoGradient("it quantises to a type whose range is not known here");
      const scale = alongAxis(site, site.input(1), 1);
      const zero = zeroPoint(site);
      // What rounds to the last integer of the range still belongs to it.
      const [low, high] = [range[0] - 0.5, range[1] + 0.5].map((bound) => {
        const steps = zero === null ? b.scalar(bound) : b.sub(b.scalar(bound), zero);
        return b.mul(steps, scale);
      });
      return b.mul(b.div(site.dy, scale), between(b, site.input(0), low ?? null, high ?? null));
    },
  ],
};

export const dequantizeLinear: GradientRule = {
  op: "DequantizeLinear",
  anyType: true,
  pullback: (site) => {
    const { b } = site;
    return [
      () => b.mul(site.dy, alongAxis(site, site.input(1), 1)),
      () => {
        const codes = b.cast(site.input(0), castTo("float"));
        const zero = zeroPoint(site);
        const steps = zero === null ? codes : b.sub(codes, zero);
        return b.reshape(b.reduceSum(b.mul(site.dy, steps), sharedAxes(site)), site.inputShape(1));
      },
    ];
  },
};
