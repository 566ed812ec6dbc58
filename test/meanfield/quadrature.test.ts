import { describe, expect, it } from "vitest";
import { normalCdf, normalPdf } from "../../server/src/meanfield/normal.js";
import { expectation } from "../../server/src/meanfield/quadrature.js";

/** Rounding of some 500 terms. */
const rounding = 1e-13;

describe("expectations under a normal distribution", () => {
  it.each([0, 1, 2, 3, 4, 5, 6])("moment %i of N(0, 1)", (k) => {
    const exact = k % 2 === 1 ? 0 : [1, 1, 3, 15][k / 2]!;
    expect(Math.abs(expectation((u) => u ** k, [], 1) - exact)).toBeLessThan(15 * rounding);
  });

  it.each([
    [0.3, 1, 0.5],
    [-2, 0.01, -2.005],
    [0, 100, 3],
    [5, 2, -40],
  ])("mean %s, deviation %s, kink at %s", (mean, deviation, kink) => {
    const at = (kink - mean) / deviation;
    const exact = deviation * normalPdf(at) + (mean - kink) * normalCdf(-at);
    const found = expectation((u) => Math.max(0, u - kink), [{ at: kink, width: 1 }], deviation, mean);
    expect(Math.abs(found - exact)).toBeLessThan(rounding * (Math.abs(mean) + deviation + Math.abs(kink)));
  });

  it("of a deviation of 0 is the value at the mean", () => {
    expect(expectation(Math.exp, [], 0, 1)).toBe(Math.E);
  });

  it("finds a bend far narrower than the distribution", () => {
    // E e^(−(u/w)²/2) = w/√(w² + 1).
    const width = 1e-6;
    const found = expectation((u) => Math.exp(-0.5 * (u / width) ** 2), [{ at: 0, width }], 1);
    expect(Math.abs(found / (width / Math.sqrt(width ** 2 + 1)) - 1)).toBeLessThan(rounding);
  });
});
