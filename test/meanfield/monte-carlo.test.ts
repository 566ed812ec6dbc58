/** The maps against random networks of width 1000 in float64, layer by layer. */
import { beforeAll, describe, expect, it } from "vitest";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { chi } from "../../server/src/meanfield/chi.js";
import { nextCorrelation } from "../../server/src/meanfield/correlation-map.js";
import { nextVariance, type Scale } from "../../server/src/meanfield/variance-map.js";
import { measure } from "../support/wide-network.js";

const width = 1000;
const depth = 6;
const seeds = [1, 2];
/** Relative deviation of the mean of `width` squares of normals. */
const one = Math.sqrt(2 / width);

const cases: readonly (readonly [string, Scale, number])[] = [
  ["tanh", { sigmaW: 1.304146, sigmaB: 0.2 }, 0.512079],
  ["tanh", { sigmaW: 2.5, sigmaB: 0.3 }, 0.5],
  ["relu", { sigmaW: Math.SQRT2, sigmaB: 0 }, 1],
  ["gelu", { sigmaW: 1.5, sigmaB: 0.2 }, 3],
];

describe.each(cases)("%s, %j, from q = %s", (name, scale, q) => {
  const activation = activationNamed(name);
  /** What each layer measures over, or minus, what the maps make of the layer before. */
  let layers: { variance: number; correlation: number; gradient: number }[];
  beforeAll(() => {
    const runs = seeds.map((seed) => measure(activation, scale, { width, depth, seed, q, c: 0.4 }));
    layers = runs.flatMap((run) =>
      Array.from({ length: depth - 1 }, (_, i) => ({
        variance: Math.log(run.q[i + 1]! / nextVariance(activation, scale, run.q[i]!)),
        correlation: run.c[i + 1]! - nextCorrelation(activation, scale, run.q[i]!, run.c[i]!),
        gradient: Math.log(run.gradient[i]! / run.gradient[i + 1]! / chi(activation, scale, run.q[i]!)),
      })),
    );
  });
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

  it("variance", () => {
    const errors = layers.map(({ variance }) => variance);
    // Five deviations for the worst layer, four for the mean of ten.
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5 * one);
    expect(Math.abs(mean(errors))).toBeLessThan((4 * one) / Math.sqrt(errors.length));
  });

  it("correlation", () => {
    const errors = layers.map(({ correlation }) => correlation);
    // The deviation of a correlation is (1 − c²)/√width, at most 0.032.
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5 / Math.sqrt(width));
    expect(Math.abs(mean(errors))).toBeLessThan(4 / Math.sqrt(width * errors.length));
  });

  it("gradient", () => {
    const errors = layers.map(({ gradient }) => gradient);
    // φ'² varies between neurons too: up to E φ'⁴/(E φ'²)² = 2 for these, which doubles the variance.
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5 * Math.SQRT2 * one);
    expect(Math.abs(mean(errors))).toBeLessThan((4 * Math.SQRT2 * one) / Math.sqrt(errors.length));
  });
});
