/**
 * Gelu, xΦ(x), its tanh form and ONNX Runtime's fused relatives: with a bias added to x first, and QuickGelu, x·σ(αx).
 * The tanh form is x·σ(2u), u = √(2/π)(x + 0.044715x³).
 */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import type { GradientRule, Site } from "../rule.js";

/** Φ(x) + xφ(x). */
function exactSlope(b: GraphBuilder, x: Value): Value {
  const s = b.scale(x, Math.SQRT1_2);
  const cumulative = b.op("HardSigmoid", [b.op("Erf", [s])], { alpha: { float: 0.5 }, beta: { float: 0.5 } });
  const density = b.op("Exp", [b.sub(b.scalar(-0.5 * Math.log(2 * Math.PI)), b.mul(s, s))]);
  return b.add(cumulative, b.mul(x, density));
}

/** Derivative of x·σ(z) where x·z' is given: σ + x·z'·σ(1 − σ). */
function gatedSlope(b: GraphBuilder, z: Value, slope: Value): Value {
  const gate = b.op("Sigmoid", [z]);
  return b.add(gate, b.mul(slope, b.mul(gate, b.sub(b.scalar(1), gate))));
}

function tanhSlope(b: GraphBuilder, x: Value): Value {
  const linear = 2 * Math.sqrt(2 / Math.PI);
  const cubic = linear * 0.044715;
  const square = b.mul(x, x);
  const z = b.mul(x, b.add(b.scalar(linear), b.scale(square, cubic)));
  return gatedSlope(b, z, b.mul(x, b.add(b.scalar(linear), b.scale(square, 3 * cubic))));
}

function quickSlope(b: GraphBuilder, x: Value, alpha: number): Value {
  const z = b.scale(x, alpha);
  return gatedSlope(b, z, z);
}

/** A rule whose input is x, or x and a bias that is broadcast to it. */
const rule = (op: string, slope: (site: Site, x: Value) => Value): GradientRule => ({
  op,
  broadcasts: true,
  pullback: (site) => {
    const { b } = site;
    const cotangent = (): Value => {
      const x = site.has(1) ? b.add(site.input(0), site.input(1)) : site.input(0);
      return b.mul(site.dy, slope(site, x));
    };
    return site.has(1) ? [cotangent, cotangent] : [cotangent];
  },
});

const exact = ({ b }: Site, x: Value): Value => exactSlope(b, x);

export const gelu = rule("Gelu", (site, x) =>
  site.string("approximate", "none") === "tanh" ? tanhSlope(site.b, x) : exactSlope(site.b, x),
);
export const microsoftGelu = rule("com.microsoft.Gelu", exact);
export const biasGelu = rule("com.microsoft.BiasGelu", exact);
export const fastGelu = rule("com.microsoft.FastGelu", ({ b }, x) => tanhSlope(b, x));
export const quickGelu = rule("com.microsoft.QuickGelu", (site, x) =>
  quickSlope(site.b, x, site.float("alpha", 1.702)),
);
