/** Comparing outputs: differences against a plain loop, and what cannot be compared is said, not hidden in a number. */
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { compareOutputs } from "../../server/src/runtime/compare.js";

const outputs = (values: number[], shape = [values.length]): Map<string, ort.Tensor> =>
  new Map([["y", new ort.Tensor("float32", Float32Array.from(values), shape)]]);

describe("compareOutputs", () => {
  it("finds the largest and the mean difference", () => {
    expect(compareOutputs(outputs([1, -4, 2]), outputs([1.5, -4, 0]))).toEqual([
      { name: "y", shape: [3], maxDifference: 2, meanDifference: 2.5 / 3, maxOriginal: 4 },
    ]);
  });

  it.each([
    ["NaN against a number", [NaN, 1], [0, 1]],
    ["infinity against a number", [Infinity, 1], [3, 1]],
    ["opposite infinities", [Infinity], [-Infinity]],
  ])("has no difference for %s", (_, a, b) => {
    expect(compareOutputs(outputs(a), outputs(b))[0]).toMatchObject({ maxDifference: null, meanDifference: null });
  });

  it("takes NaN on both sides, and equal infinities, as equal", () => {
    expect(compareOutputs(outputs([NaN, Infinity]), outputs([NaN, Infinity]))[0]).toMatchObject({ maxDifference: 0 });
  });

  it("has no difference between shapes that differ", () => {
    expect(compareOutputs(outputs([1, 2]), outputs([1, 2], [1, 2]))[0]!.maxDifference).toBeNull();
  });

  it("compares float16 by value on every platform", () => {
    const half = (bits: number[]): Map<string, ort.Tensor> => {
      const array = Uint16Array.from(bits);
      const native = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => Uint16Array }).Float16Array;
      return new Map([
        ["y", new ort.Tensor("float16", native === undefined ? array : new native(array.buffer), [bits.length])],
      ]);
    };
    // 1.0 and 1.5, 2.0 and 2.0
    expect(compareOutputs(half([0x3c00, 0x4000]), half([0x3e00, 0x4000]))[0]).toMatchObject({
      maxDifference: 0.5,
      maxOriginal: 2,
    });
  });
});
