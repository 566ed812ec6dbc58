import { expect, it } from "vitest";
import { bisect, logarithmicGrid, roots } from "../../server/src/meanfield/roots.js";

const sampled = (f: (x: number) => number, grid: readonly number[]): { x: number; value: number }[] =>
  grid.map((x) => ({ x, value: f(x) }));

it("finds every change of sign to the last digit, a root on a sample too", () => {
  const f = (x: number): number => (x - 1) * (x - 2.5) * (x - Math.PI);
  const found = roots(f, sampled(f, [0, 1, 2, 3, 4]), () => 0);
  [1, 2.5, Math.PI].forEach((root, i) => expect(Math.abs(found[i]! - root)).toBeLessThan(1e-14));
});

it("has no root where the function is 0 up to noise, and one between signs on its two sides", () => {
  const flat = (x: number): number => (Math.abs(x) < 1 ? 1e-16 * Math.sin(50 * x) : x);
  expect(roots(flat, sampled(flat, [-0.9, -0.3, 0.3, 0.9]), () => 1e-15)).toEqual([]);
  expect(roots(flat, sampled(flat, [-2, -0.3, 0.3, 2]), () => 1e-15)).toHaveLength(1);
});

it("halves to neighbouring numbers", () => {
  const { below, above } = bisect((x) => x * x > 2, 0, 2);
  expect(below ** 2 <= 2 && above ** 2 > 2).toBe(true);
  expect(above - below).toBeLessThanOrEqual(2 ** -52);
});

it("grids hold both ends and as many points a decade as asked", () => {
  const grid = logarithmicGrid(1e-3, 10, 4);
  expect([grid[0], grid.at(-1), grid.length]).toEqual([1e-3, 10, 17]);
  expect(grid).toEqual([...grid].sort((a, b) => a - b));
});
