import { describe, expect, it } from "vitest";
import { layerLabel, opsetText, shapeText, shorten, valueType } from "../../webview/src/text/names.js";
import {
  bytes,
  columnPercent,
  counted,
  integer,
  percent,
  percentDigits,
  score,
  seconds,
} from "../../webview/src/text/numbers.js";

/** As people see it: a no-break space is a space. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("numbers", () => {
  it.each([
    [0.9, "90 %"],
    [0.972, "97.2 %"],
    [0.97249, "97.2 %"],
    [0.9997, "99.97 %"],
    [0.99998, "99.998 %"],
    [0.00012, "0.012 %"],
    [0.5, "50 %"],
    [0, "0 %"],
    [1, "100 %"],
    [1.94, "194 %"],
  ])("percent of %s is %s", (share, text) => {
    expect(plain(percent(share))).toBe(text);
  });

  it("never rounds a share to a false 0 or 100", () => {
    for (let power = 1; power < 9; power++) {
      const share = 10 ** -power;
      for (const text of [percentDigits(share), percentDigits(1 - share)]) expect(["0", "100"]).not.toContain(text);
      for (const text of [columnPercent(share), columnPercent(1 - share)]) {
        expect(["0.00 %", "100.00 %"]).not.toContain(plain(text));
      }
    }
  });

  it.each([
    [0.1023, "10.23 %"],
    [0, "0.00 %"],
    [1, "100.00 %"],
    [0.00002, "<0.01 %"],
    [0.99999, ">99.99 %"],
    [NaN, "—"],
  ])("column percent of %s is %s", (share, text) => {
    expect(plain(columnPercent(share))).toBe(text);
  });

  it.each([
    [0.01234, "0.0123"],
    [0.00001234, "1.23e−5"],
    [1234.5, "1,235"],
    [999.4, "999"],
    [2.5e7, "2.50e7"],
    [-0.5, "−0.500"],
    [0, "0"],
    [NaN, "—"],
    [null, "—"],
    [Infinity, "—"],
  ])("score %s is %s", (value, text) => {
    expect(score(value)).toBe(text);
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [97_503_221, "97.5 MB"],
    [531_000_000, "531 MB"],
    [2_400_000_000, "2.4 GB"],
  ])("%i bytes are %s", (value, text) => {
    expect(plain(bytes(value))).toBe(text);
  });

  it("counts and times in words", () => {
    expect(integer(23_454_912)).toBe("23,454,912");
    expect(counted(1, "layer")).toBe("1 layer");
    expect(counted(5000, "layer")).toBe("5,000 layers");
    expect(plain(seconds(0.42))).toBe("0.4 s");
    expect(plain(seconds(185))).toBe("3 min 5 s");
  });
});

describe("names", () => {
  it("shortens in the middle and never inside a character", () => {
    const long = `${"🦊".repeat(100)}.weight`;
    expect(Array.from(shorten(long, 20))).toHaveLength(20);
    expect(shorten(long, 20).endsWith(".weight")).toBe(true);
    expect(shorten(long, 20)).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
    expect(shorten("short")).toBe("short");
  });

  it("reads shapes, types and opsets", () => {
    expect(shapeText([64, 3, 7, 7])).toBe("64 × 3 × 7 × 7");
    expect(shapeText([])).toBe("scalar");
    expect(valueType({ name: "x", dtype: "float", shape: ["batch", null, 4] })).toBe("float batch × ? × 4");
    expect(valueType({ name: "x", dtype: "float", shape: null })).toBe("float, shape unknown");
    expect(valueType({ name: "x", dtype: "other", shape: null, type: "seq(tensor(float))" })).toBe(
      "seq(tensor(float))",
    );
    expect(
      opsetText([
        { domain: "", version: 17 },
        { domain: "com.microsoft", version: 1 },
      ]),
    ).toBe("ai.onnx 17 · com.microsoft 1");
  });

  it("calls a layer by its weight, or by whatever name there is", () => {
    expect(layerLabel({ id: "i", name: "n", weight: "w" })).toBe("w");
    expect(layerLabel({ id: "i", name: "n", weight: "" })).toBe("n");
    expect(layerLabel({ id: "i", name: "", weight: "" })).toBe("i");
  });
});
