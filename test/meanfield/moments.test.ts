/** Expectations against an independent quadrature, and against closed forms. */
import { describe, expect, it } from "vitest";
import type { Activation } from "../../server/src/meanfield/activations/activation.js";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { meanProduct, meanSlopes, meanSquare, moments } from "../../server/src/meanfield/moments.js";
import { normalCdf } from "../../server/src/meanfield/normal.js";
import { everyActivation, named } from "../cases/activations.js";
import { gaussianMean } from "../support/tanh-sinh.js";

const variances = [1e-6, 1e-4, 0.01, 0.3, 1, 7, 45.6, 1e3, 1e4];

/** 1e-10 relative; below 1e-20 there is nothing but tails. */
const agree = (found: number, expected: number, tolerance = 1e-10): boolean =>
  Math.abs(found - expected) <= Math.max(1e-20, tolerance * Math.abs(expected));

describe.each(named(everyActivation))("%s", (_, activation) => {
  const { value, slope, bends } = activation;
  const kinks = bends.map(({ at }) => at);
  const independent = (f: (u: number, z: number) => number, q: number): number => gaussianMean(f, kinks, q);

  it.each(variances)("at q = %s agrees with double-exponential quadrature to 1e-10", (q) => {
    const found = moments(activation, q);
    const square = independent((u) => value(u) ** 2, q);
    expect(agree(found.square, square), `Eφ² ${found.square} ${square}`).toBe(true);
    expect(agree(meanSquare(activation, q), found.square, 1e-14)).toBe(true);
    const slopes = independent((u) => slope(u) ** 2, q);
    expect(agree(found.slope, slopes), `Eφ'² ${found.slope} ${slopes}`).toBe(true);
    const parts = (u: number, z: number): number =>
      activation.jumps ? (value(u) ** 2 * (z * z - 1)) / (2 * q) : (value(u) * slope(u) * z) / Math.sqrt(q);
    const growth = independent(parts, q);
    // φφ'Z has both signs: where they cancel, rounding of its size is left.
    const cancelled = 1e-14 * independent((u, z) => Math.abs(parts(u, z)), q);
    expect(Math.abs(found.growth - growth) <= cancelled || agree(found.growth, growth), `growth ${growth}`).toBe(true);
  });

  it("grows by q as its square does", () => {
    for (const q of [0.05, 2, 60]) {
      const h = 1e-4 * q;
      const difference = (meanSquare(activation, q + h) - meanSquare(activation, q - h)) / (2 * h);
      // h² of the third derivative, and rounding over h.
      expect(Math.abs(moments(activation, q).growth - difference)).toBeLessThan(1e-6 * Math.max(1, difference));
      expect(moments(activation, q).growth).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("closed forms", () => {
  const cases: readonly (readonly [string, (q: number) => { square?: number; slope?: number }])[] = [
    ["hard-tanh", (q) => ({ slope: 2 * normalCdf(1 / Math.sqrt(q)) - 1 })],
    ["relu6", (q) => ({ slope: normalCdf(6 / Math.sqrt(q)) - 0.5 })],
    ["thresholded-relu", (q) => ({ slope: normalCdf(-1 / Math.sqrt(q)) })],
    // E e^(2u) over u < 0 is e^(2q)·Φ(−2√q).
    ["elu", (q) => ({ slope: 0.5 + Math.exp(2 * q) * normalCdf(-2 * Math.sqrt(q)) })],
  ];
  it.each(cases)("of %s", (name, exact) => {
    for (const q of [0.01, 1, 9]) {
      const found = moments(activationNamed(name), q);
      const { slope } = exact(q);
      expect(agree(found.slope, slope!, 1e-12)).toBe(true);
    }
  });
});

describe("products over two correlated inputs", () => {
  const withoutClosedForms = (activation: Activation): Activation => ({ ...activation, exact: null });
  const correlations = [-0.9, -0.2, 0, 0.3, 0.8, 0.99, 0.999999];

  it.each(["relu", "leaky-relu", "erf", "sin", "identity"])("of %s by quadrature equal the closed form", (name) => {
    const activation = activationNamed(name);
    for (const q of [0.1, 2])
      for (const c of correlations) {
        const exact = meanProduct(activation, q, c);
        // Against the size of E φ², for the product passes through 0.
        const size = meanSquare(activation, q);
        expect(Math.abs(meanProduct(withoutClosedForms(activation), q, c) - exact)).toBeLessThan(1e-10 * size);
        const slopes = meanSlopes(activation, q, c);
        expect(Math.abs(meanSlopes(withoutClosedForms(activation), q, c) - slopes)).toBeLessThan(1e-10);
      }
  });

  it.each(["tanh", "elu", "gelu", "relu6", "softsign", "sigmoid"])("of %s end in Eφ² and (Eφ)², and rise", (name) => {
    const activation = activationNamed(name);
    const q = 0.8;
    const found = [0, 0.5, 1].map((c) => meanProduct(activation, q, c));
    const kinks = activation.bends.map(({ at }) => at);
    expect(agree(found[0]!, gaussianMean(activation.value, kinks, q) ** 2)).toBe(true);
    expect(agree(found[2]!, meanSquare(activation, q), 1e-14)).toBe(true);
    // Price's theorem: the slope is q·Eφ'φ'. The difference is of order 1e-8.
    const h = 1e-4;
    const difference = (meanProduct(activation, q, 0.5 + h) - meanProduct(activation, q, 0.5 - h)) / (2 * h);
    expect(Math.abs(difference - q * meanSlopes(activation, q, 0.5))).toBeLessThan(1e-7);
  });
});
