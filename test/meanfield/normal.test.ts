import { describe, expect, it } from "vitest";
import { erf, erfc, normalCdf, normalPdf } from "../../server/src/meanfield/normal.js";
import { integral } from "../support/tanh-sinh.js";

/** x, erf(x), erfc(x) from mpmath with 30 digits. */
const table: readonly (readonly [number, number, number])[] = [
  [1e-9, 1.1283791670955127e-9, 0.9999999988716208],
  [0.1, 0.1124629160182849, 0.887537083981715],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [1, 0.8427007929497149, 0.15729920705028513],
  [2, 0.9953222650189527, 0.004677734981047266],
  [2.49, 0.9995707121322661, 0.0004292878677339129],
  [2.51, 0.9996142945182758, 0.0003857054817242798],
  [3, 0.9999779095030014, 2.209049699858544e-5],
  [5, 0.9999999999984626, 1.537459794428035e-12],
  [10, 1, 2.088487583762545e-45],
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
