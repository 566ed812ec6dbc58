import { describe, expect, it } from "vitest";
import { erf, erfc, normalCdf, normalPdf } from "../../server/src/meanfield/normal.js";
import { integral } from "../support/tanh-sinh.js";

/** x, erf(x), erfc(x) to 18 digits, from mpmath with 30. */
const table: readonly (readonly [number, number, number])[] = [
  [1e-9, 1.12837916709551264e-9, 0.999999998871620833],
  [0.1, 0.112462916018284898, 0.887537083981715102],
  [0.5, 0.520499877813046538, 0.479500122186953462],
  [1, 0.842700792949714869, 0.157299207050285131],
  [2, 0.995322265018952734, 0.00467773498104726584],
  [2.49, 0.999570712132266087, 0.000429287867733912906],
  [2.51, 0.99961429451827572, 0.00038570548172427978],
  [3, 0.999977909503001415, 0.0000220904969985854414],
  [5, 0.99999999999846254, 1.53745979442803485e-12],
  [10, 1, 2.08848758376254476e-45],
];

describe("the error function", () => {
  it.each(table)("at %s, and mirrored", (x, value, complement) => {
    // A few units of the last place of 1.
    expect(Math.abs(erf(x) / value - 1)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
    expect(Math.abs(erfc(x) - complement)).toBeLessThan(5e-16);
    if (x >= 2.5) expect(Math.abs(erfc(x) / complement - 1)).toBeLessThan(2e-14); // e^(−x²) rounds x² up to 1e-14
    expect(Math.abs(erfc(-x) - (2 - complement))).toBeLessThan(5e-16);
  });

  it("is 0 at 0 and settles at infinity", () => {
    expect([erf(0), erfc(0), erf(Infinity), erfc(Infinity), erfc(-Infinity)]).toEqual([0, 1, 1, 0, 2]);
  });
});

it("the distribution is the integral of the density", () => {
  for (const x of [-3, -0.7, 0.2, 1.9, 4])
    // What both sides round to.
    expect(Math.abs(normalCdf(x) - 0.5 - integral(normalPdf, 0, x))).toBeLessThan(1e-15);
});
