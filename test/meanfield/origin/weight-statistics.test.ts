/** Moments of one pass over blocks. */
import { expect, it } from "vitest";
import { arrayField } from "../../../server/src/formats/stored-elements.js";
import { weightStatistics } from "../../../server/src/meanfield/origin/weight-statistics.js";

it("counts what is 0 and what is not finite, and leaves the latter out of the moments", () => {
  const size = 70_000;
  const values = Float32Array.from({ length: size }, (_, i) => (i % 7 === 0 ? 0 : (i % 5) - 2));
  values[11] = NaN;
  values[69_999] = Infinity;
  const finite = Array.from(values).filter(Number.isFinite);
  const found = weightStatistics(arrayField(values));
  expect(found).toMatchObject({ size, nonFinite: 2, largest: 2, zeros: finite.filter((v) => v === 0).length });
  expect(found.mean).toBeCloseTo(finite.reduce((sum, v) => sum + v, 0) / finite.length, 12);
  expect(found.meanSquare).toBeCloseTo(finite.reduce((sum, v) => sum + v * v, 0) / finite.length, 12);
  expect(found.sample.every((v) => v !== 0 && Number.isFinite(v))).toBe(true);
});

it("samples evenly, over the borders of blocks", () => {
  const size = 200_001;
  const { sample } = weightStatistics(arrayField(Float32Array.from({ length: size }, (_, i) => i + 1)));
  const steps = new Set(Array.from(sample.subarray(1), (x, i) => x - sample[i]!));
  expect([...steps]).toEqual([12]);
  expect(sample[0]).toBe(1);
  expect(sample.at(-1)).toBeGreaterThan(size - 12);
});
