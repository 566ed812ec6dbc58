/** Quantiles of Student's t against closed forms and tables. */
import { expect, it } from "vitest";
import { studentQuantile } from "../../server/src/pruning/student-t.js";

const levels = [0.6, 0.75, 0.9, 0.95, 0.975, 0.99, 0.9995];

/** The incomplete beta function is good to 1e-13 or so, and its inverse loses what 1 − p has fewer digits. */
const tolerance = 1e-9;

const closedForms: readonly (readonly [number, (p: number) => number])[] = [
  [1, (p) => Math.tan(Math.PI * (p - 0.5))],
  [2, (p) => (2 * p - 1) * Math.sqrt(2 / (1 - (2 * p - 1) ** 2))],
  [
    4,
    (p) => {
      const a = 4 * p * (1 - p);
      return 2 * Math.sqrt(Math.cos(Math.acos(Math.sqrt(a)) / 3) / Math.sqrt(a) - 1);
    },
  ],
];

it.each(closedForms)("is exact for %s degrees of freedom", (freedom, exact) => {
  for (const p of levels) expect(Math.abs(studentQuantile(p, freedom) / exact(p) - 1)).toBeLessThan(tolerance);
});

/** t at 97.5 % (R 4.2, qt). */
it.each([
  [3, 3.182446305],
  [5, 2.570581836],
  [10, 2.228138852],
  [30, 2.042272456],
  [120, 1.979930405],
] as const)("of %s degrees of freedom is %s", (freedom, expected) => {
  expect(studentQuantile(0.975, freedom)).toBeCloseTo(expected, 8);
});

it("tends to the normal distribution", () => {
  // The first correction is (z³ + z)/(4ν): 2.4 of 1/ν.
  expect(Math.abs(studentQuantile(0.975, 1e6) - 1.9599639845)).toBeLessThan(3e-6);
});
