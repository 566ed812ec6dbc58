import { describe, expect, it } from "vitest";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { chi } from "../../server/src/meanfield/chi.js";
import { correlationFlow, correlationSlope, nextCorrelation } from "../../server/src/meanfield/correlation-map.js";
import { type Scale, varianceFlow } from "../../server/src/meanfield/variance-map.js";

const cases: readonly (readonly [string, Scale])[] = [
  ["tanh", { sigmaW: 1, sigmaB: 0.2 }],
  ["tanh", { sigmaW: 2, sigmaB: 0.2 }],
  ["tanh", { sigmaW: 2, sigmaB: 0 }],
  ["erf", { sigmaW: 1.5, sigmaB: 0.4 }],
  ["elu", { sigmaW: 1.25, sigmaB: 0.1 }],
  ["gelu", { sigmaW: 1.4, sigmaB: 0.1 }],
  ["hard-tanh", { sigmaW: 3, sigmaB: 1 }],
  ["selu", { sigmaW: 1, sigmaB: 0 }],
];

describe.each(cases)("%s, %j", (name, scale) => {
  const activation = activationNamed(name);
  const { q } = varianceFlow(activation, scale).fixed.at(-1)!;

  it("1 is fixed, and its slope is χ", () => {
    if (q === 0) return;
    // Rounding of two expectations.
    expect(Math.abs(nextCorrelation(activation, scale, q, 1) - 1)).toBeLessThan(1e-12);
    expect(Math.abs(correlationSlope(activation, scale, q, 1) - chi(activation, scale, q))).toBeLessThan(1e-12);
  });

  it("rises and is convex on [0, 1]", () => {
    const values = [0, 0.2, 0.4, 0.6, 0.8, 1].map((c) => nextCorrelation(activation, scale, q, c));
    values.forEach((value, i) => {
      if (i > 0) expect(value).toBeGreaterThan(values[i - 1]!);
      if (i > 1) expect(value - 2 * values[i - 1]! + values[i - 2]!).toBeGreaterThan(-1e-12);
    });
  });

  it("has one stable fixed point in [0, 1], below 1 exactly when χ > 1, and iteration goes there", () => {
    const flow = correlationFlow(activation, scale, q)!;
    expect(flow.everyFixed).toBe(false);
    const stable = flow.fixed.filter(({ stability }) => stability === "stable");
    expect(stable).toHaveLength(1);
    expect(stable[0]!.c < 1).toBe(chi(activation, scale, q) > 1);
    expect(stable[0]!.slope).toBeLessThan(1);
    let c = 0.5;
    const layers = 12;
    for (let l = 0; l < layers; l++) c = nextCorrelation(activation, scale, q, c);
    // A convex map is steeper than at c* only above it: there 0.5 is near c* already.
    expect(Math.abs(c - stable[0]!.c)).toBeLessThan(Math.max(1e-8, stable[0]!.slope ** layers));
  });
});

describe("what is known", () => {
  it("ReLU's correlations all go to 1, whatever σ_w, slower than exponentially", () => {
    const relu = activationNamed("relu");
    for (const sigmaW of [1, Math.SQRT2, 2]) {
      const flow = correlationFlow(relu, { sigmaW, sigmaB: 0 }, 1)!;
      expect(flow.fixed).toMatchObject([{ c: 1, stability: "marginal" }]);
    }
  });

  it("a linear φ keeps every correlation", () => {
    expect(correlationFlow(activationNamed("identity"), { sigmaW: 1, sigmaB: 0 }, 1)).toEqual({
      fixed: [],
      everyFixed: true,
    });
  });

  it("an odd φ without biases and χ > 1 forgets: c* = 0", () => {
    const flow = correlationFlow(activationNamed("tanh"), { sigmaW: 1.5, sigmaB: 0 }, 0.6)!;
    expect(flow.fixed[0]!.c).toBeLessThan(1e-15);
  });

  it("a φ that jumps has no slope to tell", () => {
    expect(correlationFlow(activationNamed("thresholded-relu"), { sigmaW: 1, sigmaB: 0.5 }, 1)).toBeNull();
  });
});
