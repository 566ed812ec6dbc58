import { describe, expect, it } from "vitest";
import { collapseBound, informativeFrom } from "../../server/src/meanfield/collapse-bound.js";

describe("the theorem's bound", () => {
  it("is the formula where that is below 1", () => {
    const [chi, depth, width] = [Math.exp(-4), 500, 100];
    // κ = 1/2.
    const found = collapseBound(chi, depth, width);
    expect(found.bound).toBeCloseTo((1 + 2 * Math.log(0.5 * depth * width ** 2)) / depth, 14);
    expect(found.remainder).toBeCloseTo(4 / Math.sqrt(depth * width ** 2), 14);
    expect(found).toMatchObject({ informative: true, explanation: expect.stringContaining("O(1/") as string });
  });

  it("is the same for χ and 1/χ", () => {
    expect(collapseBound(2, 1000, 300).bound).toBeCloseTo(collapseBound(0.5, 1000, 300).bound!, 14);
  });

  it("says nothing on the edge of chaos, and nothing without χ", () => {
    for (const chi of [1, 1 + 1e-12, 0, NaN, Infinity]) {
      const found = collapseBound(chi, 1000, 1000);
      expect(found).toMatchObject({ bound: null, informative: false, remainder: null });
      expect(JSON.stringify(found)).not.toMatch(/NaN|Infinity/);
    }
  });

  it("is empty below some hundred layers and falls with depth from there", () => {
    const first = informativeFrom(1.5, 300)!;
    expect(first).toBeGreaterThan(100);
    expect(collapseBound(1.5, first - 1, 300)).toMatchObject({ bound: 1, informative: false });
    const bounds = [first, 2 * first, 5 * first].map((depth) => collapseBound(1.5, depth, 300).bound!);
    expect(bounds[0]).toBeLessThan(1);
    expect(bounds[1]).toBeLessThan(bounds[0]!);
    expect(bounds[2]).toBeLessThan(bounds[1]!);
    expect(informativeFrom(1.0001, 300)).toBeNull();
  });

  it("needs less depth the farther from the edge", () => {
    const depths = [1.1, 1.5, 2, 4].map((chi) => informativeFrom(chi, 300)!);
    expect(depths).toEqual([...depths].sort((a, b) => b - a));
  });
});
