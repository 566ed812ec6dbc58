/** Singular values against Marchenko and Pastur's edge, of independent weights, of outliers, under masks, of rotations. */
import { describe, expect, it } from "vitest";
import { orthogonal } from "../../../server/src/analysis/edits/draw.js";
import { type Matrix, spectrumEdge, spectrumOf } from "../../../server/src/meanfield/origin/spectrum.js";
import { uniform } from "../../support/arrays.js";
import { normal } from "../../support/draws.js";

const noise = (rows: number, columns: number, seed: number): Matrix => {
  const random = uniform(seed);
  return { rows, columns, elements: Float64Array.from({ length: rows * columns }, () => normal(random)) };
};

it("the edge of n × m independent weights is n(1 + √(m/n))², twice 2n for a square", () => {
  expect(spectrumEdge(100, 100)).toBe(400);
  expect(spectrumEdge(64, 256)).toBeCloseTo(256 * (1 + 0.5) ** 2, 10);
  expect(spectrumEdge(256, 64)).toBe(spectrumEdge(64, 256));
});

it("fluctuates as Tracy and Widom say", () => {
  const found = Array.from({ length: 200 }, (_, i) => spectrumOf(noise(24, 40, 100 + i), false)!.excess);
  const mean = found.reduce((sum, x) => sum + x, 0) / 200;
  const deviation = Math.sqrt(found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 200);
  // Their mean is −1.21 and deviation 1.27; of 200 the mean is known to 0.09. Scaling the matrix by its own mean square takes a little away.
  expect(Math.abs(mean + 1.21)).toBeLessThan(0.45);
  expect(Math.abs(deviation - 1.27)).toBeLessThan(0.3);
});

describe("an outlier", () => {
  it.each([1.5, 2, 3])("of %s times the threshold stands where the theory of spiked matrices says", (times) => {
    const { rows, columns, elements } = noise(96, 192, 5);
    const random = uniform(6);
    const [u, v] = [rows, columns].map((count) => {
      const vector = Array.from({ length: count }, () => normal(random));
      const length = Math.hypot(...vector);
      return vector.map((x) => x / length);
    }) as [number[], number[]];
    // A direction of strength θ shows above (nm)^¼ (Benaych-Georges and Nadakuditi 2012), at (θ² + n)(θ² + m)/θ².
    const theta = times * (rows * columns) ** 0.25;
    const spiked = elements.map((x, i) => x + theta * u[Math.floor(i / columns)]! * v[i % columns]!);
    const { top, excess } = spectrumOf({ rows, columns, elements: spiked }, false)!;
    const variance = 1 + theta ** 2 / (rows * columns);
    const expected = ((theta ** 2 + rows) * (theta ** 2 + columns)) / theta ** 2 / variance;
    // The outlier fluctuates by some per cent at this size.
    expect(Math.abs(top / (expected / spectrumEdge(rows, columns - 1)) - 1)).toBeLessThan(0.12);
    expect(excess).toBeGreaterThan(times > 1.5 ? 8 : 4);
  });

  it("is found under a mask, which itself is not taken for one", () => {
    const { rows, columns, elements } = noise(64, 96, 9);
    const random = uniform(10);
    // Rows are kept with 0 to 100 %, as criteria keep them: a profile of variances that independent weights do not have.
    const mask = elements.map((_, i) => (random() < (Math.floor(i / columns) / rows) ** 2 ? 1 : 0));
    const masked = (values: Float64Array): Matrix => ({ rows, columns, elements: values.map((x, i) => x * mask[i]!) });
    expect(spectrumOf(masked(elements), false)!.excess).toBeGreaterThan(4);
    expect(Math.abs(spectrumOf(masked(elements), true)!.excess)).toBeLessThan(4);
    expect(spectrumOf(masked(elements.map((x) => x + 1)), true)!.excess).toBeGreaterThan(8);
  });
});

it("equal singular values are seen, whichever side is longer", () => {
  const random = uniform(9);
  for (const [rows, columns] of [
    [20, 32],
    [32, 20],
    [24, 24],
  ] as const) {
    const rotation = orthogonal(rows, columns, () => normal(random));
    const { cosine, norms } = spectrumOf({ rows, columns, elements: rotation }, false)!;
    expect(cosine).toBeLessThan(1e-12);
    expect(norms).toBeCloseTo(1, 12);
  }
});

it("nothing is said of matrices without elements, or with few vectors", () => {
  expect(spectrumOf({ rows: 32, columns: 32, elements: new Float64Array(1024) }, false)).toBeNull();
  expect(spectrumOf(noise(7, 100, 1), false)).toBeNull();
});
