/** Risk levels at the edges that DESIGN.md gives, and the critical sparsity of a layer by itself. */
import { describe, expect, it } from "vitest";
import { keptCount } from "../../server/protocol/recipe.js";
import { layerCriticalSparsity, maxSparsity, riskOf } from "../../server/src/pruning/risk.js";

const facts = { size: 1000, kept: 100, excluded: false, noSignal: false, criticalSparsity: 0.999, deadOutputs: 0 };

describe("risk at 90 %", () => {
  it.each([
    ["collapsed", { kept: 0 }],
    ["no-signal", { noSignal: true, kept: 0 }],
    ["none", { excluded: true, kept: 1000, criticalSparsity: null }],
    ["high", { criticalSparsity: 0.949 }],
    ["low", { criticalSparsity: 0.951 }],
    ["low", { criticalSparsity: 0.989 }],
    ["none", { criticalSparsity: 0.991 }],
    ["high", { deadOutputs: 0.38 }],
    ["low", { deadOutputs: 0.37 }],
    ["low", { deadOutputs: 0.051 }],
    ["none", { deadOutputs: 0.05 }],
    ["high", { effective: 0 }],
    ["none", { effective: 1 }],
    ["none", { effective: null }],
    ["collapsed", { kept: 0, effective: 0 }],
    ["none", { excluded: true, kept: 1000, effective: 0 }],
  ] as const)("%s for %o", (risk, change) => {
    expect(riskOf({ ...facts, ...change }, 0.9)).toBe(risk);
  });
});

it("gives the least sparsity at which a layer by itself keeps nothing", () => {
  for (const size of [1, 2, 3, 10, 999, 65536]) {
    const s = layerCriticalSparsity(size);
    expect(keptCount(size, s)).toBe(0);
    expect(keptCount(size, s - 1e-12)).toBe(1);
  }
});

it("gives the highest sparsity that leaves every layer a weight", () => {
  expect(maxSparsity([10, 30], { scope: "global" })).toBe(1 - 2 / 40);
  expect(maxSparsity([], { scope: "global" })).toBeNull();
  for (const sizes of [[1], [2, 50], [999, 3, 40]]) {
    const s = maxSparsity(sizes, { scope: "layer" })!;
    expect(sizes.map((size) => keptCount(size, s - 1e-12)).every((kept) => kept > 0)).toBe(true);
    expect(sizes.map((size) => keptCount(size, s + 1e-12))).toContain(0);
  }
});
