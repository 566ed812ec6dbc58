/** Conversions between element types keep every value or are refused; halves against their definition. */
import { describe, expect, it } from "vitest";
import { convert, type NumericType, numberAt } from "../../server/src/data/array.js";
import { chooseRows } from "../../server/src/data/choose.js";
import { concatenated, rowsOf } from "../../server/src/data/stored-array.js";
import { float16ToNumber, numberToFloat16 } from "../../server/src/graph/float16.js";
import { counted } from "../support/arrays-on-disk.js";

describe("numberToFloat16", () => {
  const halves = Array.from({ length: 0x7c00 }, (_, bits) => bits);

  it("is the inverse of reading, for every half that is a number", () => {
    const all = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => !Number.isNaN(float16ToNumber(bits)));
    expect(all.map((bits) => numberToFloat16(float16ToNumber(bits)))).toEqual(all);
    expect(float16ToNumber(numberToFloat16(NaN))).toBeNaN();
  });

  it.each([
    ["a quarter of the way", 0.25, (bits: number) => bits],
    ["three quarters of the way", 0.75, (bits: number) => bits + 1],
    ["half way", 0.5, (bits: number) => bits + (bits % 2)],
  ])("rounds what lies %s to the next half to the nearer one, ties to even", (_, part, expected) => {
    const between = halves.map((bits) => {
      const low = float16ToNumber(bits);
      // Above the largest half lies what would be the next power of two.
      return low + part * ((bits === 0x7bff ? 65536 : float16ToNumber(bits + 1)) - low);
    });
    expect(between.map(numberToFloat16)).toEqual(halves.map(expected));
    expect(between.map((value) => numberToFloat16(-value))).toEqual(halves.map((bits) => 0x8000 | expected(bits)));
  });
});

const types: readonly NumericType[] = [
  "float",
  "double",
  "float16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
];

describe("convert", () => {
  it.each(types.flatMap((from) => types.map((to) => [from, to] as const)))("keeps values from %s to %s", (from, to) => {
    const array = counted(from, [2, 50], (i) => i + 1);
    const converted = convert(array, to, "The array", "");
    expect(converted).toMatchObject({ dtype: to, shape: [2, 50] });
    for (let i = 0; i < 100; i++) expect(numberAt(converted, i)).toBe(i + 1);
  });

  it("keeps 64-bit integers exactly", () => {
    const values = BigInt64Array.of(2n ** 53n + 1n, 2n ** 62n + 1n);
    expect(convert({ dtype: "int64", shape: [2], values }, "uint64", "x", "").values).toEqual(
      BigUint64Array.from(values),
    );
  });

  it.each<[string, NumericType, NumericType, number, string, string]>([
    [
      "a fraction in integers",
      "float",
      "int64",
      1.5,
      "shape-mismatch",
      "element [1] is 1.5, which the element type int64",
    ],
    ["more than a byte", "int64", "uint8", 256, "shape-mismatch", "element [1] is 256, which the element type uint8"],
    ["a negative index", "int32", "uint32", -1, "shape-mismatch", "element [1] is -1, which the element type uint32"],
    ["no boolean", "uint8", "bool", 2, "shape-mismatch", "element [1] is 2, which the element type bool"],
    ["beyond 64 bits", "double", "int64", 2 ** 63, "shape-mismatch", "which the element type int64 cannot hold"],
    ["NaN", "float", "float", NaN, "non-finite", "element [1] is NaN; every value must be finite"],
    ["infinity", "double", "float", -Infinity, "non-finite", "element [1] is -Infinity"],
    ["what overflows float", "double", "float", 1e39, "non-finite", "is 1e+39, which is beyond the element type float"],
    ["what overflows float16", "float", "float16", 65520, "non-finite", "which is beyond the element type float16"],
  ])("refuses %s", (_, from, to, value, code, message) => {
    const array = counted(from, [2], (i) => (i === 1 ? value : 0));
    const convertIt = (): unknown => convert(array, to, `Array "x"`, "");
    expect(convertIt).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }));
  });

  it("names the place in every axis", () => {
    const array = counted("float", [2, 3, 4], (i) => (i === 23 ? NaN : i));
    expect(() => convert(array, "float", "The array", "")).toThrow("element [1, 2, 3]");
  });
});

describe("rows", () => {
  it("of parts put one after the other are those of the parts", () => {
    const whole = counted("int64", [2, 5, 3]);
    for (const axis of [0, 1, 2]) {
      const all = Array.from({ length: whole.shape[axis]! }, (_, i) => i);
      const parts = [rowsOf(whole, axis, all.slice(0, 1)), rowsOf(whole, axis, all.slice(1))];
      expect(concatenated(parts, axis)).toEqual(whole);
    }
  });
});

describe("chooseRows", () => {
  it.each([
    [1, 1],
    [10, 10],
    [100, 7],
    [2 ** 52, 50],
  ])("of %d takes %d, each once and ascending, the same for the same seed", (available, count) => {
    const rows = chooseRows(available, count, 3);
    expect(rows).toHaveLength(count);
    for (const [i, row] of rows.entries()) {
      expect(row).toBeGreaterThan(rows[i - 1] ?? -1);
      expect(row).toBeLessThan(available);
    }
    expect(chooseRows(available, count, 3)).toEqual(rows);
  });

  it("takes every sample equally often", () => {
    const hits = new Int32Array(10);
    const draws = 5000;
    for (let seed = 0; seed < draws; seed++) for (const row of chooseRows(10, 3, seed)) hits[row]!++;
    // Binomial with p = 0.3: standard deviation √(5000 · 0.3 · 0.7) = 32; five of them.
    for (const count of hits) expect(Math.abs(count - 0.3 * draws)).toBeLessThan(162);
  });
});
