/** All 65,536 halves, against their definition. */
import { expect, test } from "vitest";
import { float16Array, float16Bits, float16ToNumber } from "../../server/src/graph/float16.js";
import { float16Bits as nearestBits, float16Value } from "../support/models.js";

const all = Array.from({ length: 65_536 }, (_, bits) => bits);

test("every half is the number of its sign, exponent and fraction", () => {
  expect(all.map(float16ToNumber)).toEqual(all.map(float16Value));
});

test("every half that is a number is its own nearest half", () => {
  const finite = all.filter((bits) => !Number.isNaN(float16Value(bits)));
  expect(finite.map((bits) => nearestBits(float16ToNumber(bits)))).toEqual(finite);
});

test("the typed array of the platform holds the bits that were given", () => {
  const bits = Uint16Array.from(all);
  expect(float16Bits(float16Array(bits))).toEqual(bits);
});
