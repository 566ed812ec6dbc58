/** Made-up inputs: what their whole numbers are below, and that they say so. */
import { describe, expect, it } from "vitest";
import { syntheticInput } from "../../server/src/runtime/inputs.js";

const inputs = [
  { name: "tokens", dtype: "int32", shape: [1, 64] },
  { name: "rows", dtype: "float", shape: [1, 64] },
  { name: "x", dtype: "float", shape: [1, 64] },
] as const;

describe("made-up inputs", () => {
  it("spread whole numbers over the bound that is given, floats that are indices too", async () => {
    const bounds = new Map([
      ["tokens", 256],
      ["rows", 5],
    ]);
    const { feeds, words } = await syntheticInput(inputs, {}, 3, bounds);
    const tokens = [...(feeds["tokens"]!.data as Int32Array)];
    const rows = [...(feeds["rows"]!.data as Float32Array)];
    const x = [...(feeds["x"]!.data as Float32Array)];
    expect(tokens.every((token) => Number.isInteger(token) && token >= 0 && token < 256)).toBe(true);
    // 64 of 256 values: all in one half would happen once in 2^63 draws.
    expect(Math.max(...tokens)).toBeGreaterThan(127);
    expect(new Set(rows)).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(x.some((value) => !Number.isInteger(value) && value < 0)).toBe(true);
    expect(words).toBe(
      "synthetic values (seed 3) for tokens int32[1, 64] below 256, rows float[1, 64] below 5, x float[1, 64]",
    );
  });

  it("are 0 and 1 where nothing is known of an integer", async () => {
    const { feeds } = await syntheticInput(inputs, {}, 3);
    expect(new Set(feeds["tokens"]!.data as Int32Array)).toEqual(new Set([0, 1]));
  });
});
