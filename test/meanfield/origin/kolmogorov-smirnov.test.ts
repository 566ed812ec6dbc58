/** The Kolmogorov-Smirnov test against tabled values, by hand, and as a test: p-values of the distribution itself are uniform. */
import { expect, it } from "vitest";
import { normalCdf } from "../../../server/src/meanfield/normal.js";
import { ksDistance, ksProbability } from "../../../server/src/meanfield/origin/kolmogorov-smirnov.js";
import { uniform } from "../../support/arrays.js";
import { normal } from "../../support/draws.js";

it("has the tabled critical values of Kolmogorov's distribution", () => {
  // √n·D at which the probability is 10, 5 and 1 % for large n.
  const n = 1e6;
  for (const [lambda, probability] of [
    [1.2238, 0.1],
    [1.3581, 0.05],
    [1.6276, 0.01],
  ] as const)
    expect(ksProbability(lambda / Math.sqrt(n), n)).toBeCloseTo(probability, 3);
  // Exact for n = 20 (Miller 1956): 0.29408 at 5 %. Stephens' correction is good to a few per cent of that.
  expect(Math.abs(ksProbability(0.29408, 20) - 0.05)).toBeLessThan(2e-3);
  expect(ksProbability(0, 100)).toBe(1);
  expect(ksProbability(1, 100)).toBeLessThan(1e-80);
});

it("measures the distance of a sample that is worked out by hand", () => {
  // Uniform on [0, 1] against 0.1, 0.2, 0.9: the largest step is at 0.2, where 2/3 stand against 0.2.
  expect(ksDistance(Float64Array.of(0.1, 0.2, 0.9), (x) => x)).toBeCloseTo(2 / 3 - 0.2, 12);
});

it("gives uniform p-values for samples of the distribution itself", () => {
  const random = uniform(3);
  const probabilities = Array.from({ length: 200 }, () => {
    const sample = Float64Array.from({ length: 300 }, () => normal(random)).sort();
    return ksProbability(ksDistance(sample, normalCdf), 300);
  });
  // The mean of 200 uniform numbers has standard deviation 0.02.
  expect(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) / 200 - 0.5)).toBeLessThan(0.08);
});
