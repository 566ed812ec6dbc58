/** Fixed points of the variance: they are where iteration ends, and stability is what iteration shows. */
import { describe, expect, it } from "vitest";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import {
  nextVariance,
  reachedFrom,
  type Scale,
  varianceFlow,
  varianceSlope,
} from "../../server/src/meanfield/variance-map.js";
import { everyActivation, named } from "../cases/activations.js";

const scales: readonly Scale[] = [
  { sigmaW: 0.7, sigmaB: 0.3 },
  { sigmaW: 1.3, sigmaB: 0.2 },
  { sigmaW: 1.45, sigmaB: 0 },
  { sigmaW: 2.5, sigmaB: 1 },
];

describe.each(named(everyActivation))("%s", (_, activation) => {
  it.each(scales)("at σ_w $sigmaW, σ_b $sigmaB: fixed points are fixed, with the slope of differences", (scale) => {
    const { fixed } = varianceFlow(activation, scale);
    for (const { q, slope } of fixed) {
      // Rounding of the expectation.
      expect(Math.abs(nextVariance(activation, scale, q) - q)).toBeLessThanOrEqual(1e-12 * q);
      if (q === 0) continue;
      const h = 1e-5 * q;
      const difference = (nextVariance(activation, scale, q + h) - nextVariance(activation, scale, q - h)) / (2 * h);
      // Rounding of 1e-15 over 1e-5.
      expect(Math.abs(slope - difference)).toBeLessThan(1e-8);
    }
  });

  it.each(scales)("at σ_w $sigmaW, σ_b $sigmaB: iteration ends where the fixed points say", (scale) => {
    const flow = varianceFlow(activation, scale);
    for (const start of [1e-3, 1, 50]) {
      const end = reachedFrom(activation, scale, flow, start);
      // Near a marginal point iteration takes for ever.
      if (end !== null && Math.abs(end.slope - 1) < 0.02) continue;
      let [before, q] = [Infinity, start];
      for (let l = 0; l < 2000 && q < 1e12 && Math.abs(q - before) > 1e-14 * q; l++)
        [before, q] = [q, nextVariance(activation, scale, q)];
      if (end === null) expect(q).toBeGreaterThan(1e4);
      // Steps of 1e-14 at a slope of at most 0.98 leave 1e-12.
      else expect(Math.abs(q - end.q)).toBeLessThanOrEqual(1e-9 * Math.max(end.q, 1e-6));
    }
  });

  it("stable and unstable points alternate", () => {
    for (const scale of scales) {
      const { fixed, diverges } = varianceFlow(activation, scale);
      const signs = fixed.filter(({ stability }) => stability !== "marginal").map(({ stability }) => stability);
      signs.forEach((stability, i) => {
        if (i > 0) expect(stability).not.toBe(signs[i - 1]);
      });
      if (signs.length > 0) expect(signs.at(-1)).toBe(diverges ? "unstable" : "stable");
    }
  });
});

describe("what is known", () => {
  it("a homogeneous φ: q* = σ_b²/(1 − g), every q at g = 1, none beyond", () => {
    const relu = activationNamed("relu");
    expect(varianceFlow(relu, { sigmaW: 1, sigmaB: 0.5 }).fixed[0]!.q).toBeCloseTo(0.5, 14);
    expect(varianceFlow(relu, { sigmaW: Math.SQRT2, sigmaB: 0 })).toEqual({
      fixed: [],
      everyFixed: true,
      diverges: false,
    });
    expect(varianceFlow(relu, { sigmaW: Math.SQRT2, sigmaB: 0.1 })).toMatchObject({ fixed: [], diverges: true });
    expect(varianceFlow(relu, { sigmaW: 1.5, sigmaB: 0 })).toMatchObject({ diverges: true });
  });

  it("SELU's own fixed point: q = 1 at σ_w = 1 without biases", () => {
    const { fixed } = varianceFlow(activationNamed("selu"), { sigmaW: 1, sigmaB: 0 });
    expect(fixed.map(({ stability }) => stability)).toEqual(["unstable", "stable"]);
    // Its constants have 16 digits.
    expect(Math.abs(fixed[1]!.q - 1)).toBeLessThan(1e-12);
  });

  it("GELU at σ_w 1.547, σ_b 0.2 has two: one it falls to, one it runs away from", () => {
    const gelu = activationNamed("gelu");
    const scale = { sigmaW: 1.547, sigmaB: 0.2 };
    const flow = varianceFlow(gelu, scale);
    expect(flow.fixed.map(({ stability }) => stability)).toEqual(["stable", "unstable"]);
    expect(flow.diverges).toBe(true);
    const [low, high] = flow.fixed;
    expect(reachedFrom(gelu, scale, flow, high!.q * 0.98)).toBe(low);
    expect(reachedFrom(gelu, scale, flow, high!.q * 1.02)).toBeNull();
  });

  it("tanh's q* rises with σ_b, and with σ_w", () => {
    const tanh = activationNamed("tanh");
    const q = (scale: Scale): number => varianceFlow(tanh, scale).fixed.at(-1)!.q;
    const byBias = [0, 0.01, 0.1, 0.2, 0.5, 1, 3].map((sigmaB) => q({ sigmaW: 1.3, sigmaB }));
    const byWeight = [1.01, 1.1, 1.3, 2, 5].map((sigmaW) => q({ sigmaW, sigmaB: 0.2 }));
    for (const values of [byBias, byWeight])
      values.forEach((value, i) => {
        if (i > 0) expect(value).toBeGreaterThan(values[i - 1]!);
      });
  });

  it("V' is σ_w² dS/dq", () => {
    expect(varianceSlope(activationNamed("erf"), { sigmaW: 2, sigmaB: 0 }, 0.5)).toBeCloseTo(
      (4 * 4) / Math.PI / (2 * Math.sqrt(3)),
      14,
    );
  });
});

it.each([
  { sigmaW: 0, sigmaB: 0 },
  { sigmaW: NaN, sigmaB: 0 },
  { sigmaW: 1, sigmaB: -1 },
  { sigmaW: 1, sigmaB: 1e-7 },
  { sigmaW: 1, sigmaB: Infinity },
])("refuses %j", (scale) => {
  expect(() => varianceFlow(activationNamed("tanh"), scale)).toThrow(/must be/);
});
