/** The rate of m^l over depth, its interval, and what is said of it. */
import { describe, expect, it } from "vitest";
import { conditioningOf, exponentialRate } from "../../server/src/pruning/conditioning.js";
import { uniform } from "../../server/src/runtime/inputs.js";
import { normals } from "../support/model-elements.js";

const layers = (means: readonly number[], sizes: readonly number[] = means.map(() => 100)) =>
  means.map((m, l) => ({ id: `l${l}`, weights: sizes[l]!, m, total: sizes[l]! * m }));

const depth = (rate: number, count = 20): number[] =>
  Array.from({ length: count }, (_, l) => 1e-3 * Math.exp(rate * l));

describe("the rate", () => {
  it("of an exponential is its own, without an interval", () => {
    const { rate, low, high, layers: count } = exponentialRate(depth(-0.3))!;
    for (const value of [rate, low, high]) expect(value).toBeCloseTo(-0.3, 10);
    expect(count).toBe(20);
  });

  it("keeps its place in depth where layers have no signal", () => {
    const values = depth(0.7).map((value, l) => (l % 3 === 0 ? 0 : value));
    expect(exponentialRate(values)!.rate).toBeCloseTo(0.7, 10);
  });

  it("is that of a textbook fit", () => {
    // y = 1, 3, 2, 5 over x = 0 … 3: slope 1.1, rest 2.7 over 2 degrees, spread 5, t 4.302653.
    const { rate, low, high } = exponentialRate([1, 3, 2, 5].map(Math.exp))!;
    expect(rate).toBeCloseTo(1.1, 10);
    expect(high - rate).toBeCloseTo(4.302653 * Math.sqrt(2.7 / 2 / 5), 5);
    expect(rate - low).toBeCloseTo(high - rate, 10);
  });

  it("lies in its interval in 95 % of normal samples", () => {
    const seeds = uniform(3);
    const trials = 2000;
    let inside = 0;
    for (let trial = 0; trial < trials; trial++) {
      const noise = normals(Math.floor(seeds() * 2 ** 31), 6);
      const { low, high } = exponentialRate(Array.from(noise, (e, l) => Math.exp(0.2 * l + e)))!;
      if (low <= 0.2 && 0.2 <= high) inside++;
    }
    // Four deviations of a binomial share: √(0.95 · 0.05/2000) = 0.0049.
    expect(Math.abs(inside / trials - 0.95)).toBeLessThan(0.02);
  });

  it.each([[[]], [[1]], [[1, 2]], [[0, 0, 0, 0]], [[1, 0, 2, 0]], [[Infinity, 1, 2]]])("of %j is none", (values) => {
    expect(exponentialRate(values)).toBeNull();
  });
});

describe("the verdict", () => {
  const verdict = (means: readonly number[], homogeneous = false, sizes?: readonly number[]): string =>
    conditioningOf(layers(means, sizes), homogeneous).verdict;
  const noisy = (rate: number, seed = 1): number[] => {
    const noise = normals(seed, 20, 0.1);
    return depth(rate).map((value, l) => value * Math.exp(noise[l]!));
  };

  it("calls a flat m consistent with well-conditioned, and no more", () => {
    const { verdict: words, rate, ratio } = conditioningOf(layers(noisy(0)), false);
    expect(rate!.low).toBeLessThan(0);
    expect(rate!.high).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(1);
    expect(words).toMatch(/^Consistent with well-conditioned, which one model cannot prove: m shows no exponential/);
  });

  it("says which end a threshold empties", () => {
    expect(verdict(noisy(0.5))).toMatch(/^Not well-conditioned .*towards the output .*near the input first/);
    expect(verdict(noisy(-0.5))).toMatch(/^Not well-conditioned .*towards the input .*near the output first/);
    expect(verdict(noisy(-0.5))).toMatch(/by a factor of 1\.6\d? a layer \(95 %: 1\.6\d? to 1\.6\d?\)/);
  });

  it("calls a trend of less than ten times from end to end slight", () => {
    expect(verdict(noisy(0.1))).toMatch(/^Consistent with well-conditioned over this depth, .* towards the output/);
    expect(verdict(depth(0.1, 100))).toMatch(/^Not well-conditioned/);
  });

  it("does not call layers of widely different m consistent, without a trend either", () => {
    const uneven = noisy(0).map((m, l) => (l === 9 || l === 10 ? m * 1e-4 : m));
    const { rate, verdict: words } = conditioningOf(layers(uneven), false);
    expect(rate!.low * rate!.high).toBeLessThan(0);
    expect(words).toMatch(/^m shows no exponential trend over depth, and yet differs widely/);
  });

  it("looks at n·m where layers differ in size", () => {
    const sizes = Array.from({ length: 20 }, (_, l) => Math.round(100 * Math.exp(0.3 * l)));
    const flat = noisy(0).map((total, l) => total / sizes[l]!);
    const { totalRate, verdict: words } = conditioningOf(layers(flat, sizes), true);
    expect(Math.abs(totalRate!.rate)).toBeLessThan(0.02);
    expect(words).toContain("n·m, which allows for that, shows no trend");
    expect(words).toMatch(/Σ w·∂L\/∂w is the same in every layer: σ_w alone makes no trend\.$/);
    expect(verdict(depth(0), false, sizes)).toContain("n·m, which allows for that, grows towards the output");
  });

  it("explains flat ReLU networks, and does not blame σ_w for a trend", () => {
    expect(verdict(noisy(0), true)).toMatch(/σ_w alone makes no trend\.$/);
    expect(verdict(noisy(0.5), true)).toMatch(/σ_w alone makes no trend, and is not what makes this one\.$/);
  });

  it("is a sentence for one layer, for none, and for layers of zeros", () => {
    expect(verdict([1])).toBe("Fewer than three layers have a signal: nothing can be said of a trend over depth.");
    expect(verdict([])).toBe(verdict([1]));
    expect(verdict([0, 0, 0])).toMatch(/^3 of 3 layers have no signal: .* Fewer than three/);
    expect(verdict([0, 1, 2, 3])).toMatch(/^1 of 4 layers have no signal/);
  });

  it("has no number that is too large to say", () => {
    const steep = Array.from({ length: 60 }, (_, l) => 10 ** (10 * (l - 30)));
    const found = conditioningOf(layers(steep), false);
    expect(found.verdict).toContain("10^590 times from end to end");
    expect(found.ratio).toBeNull();
    expect(found.verdict).not.toMatch(/Infinity|NaN/);
  });
});
