/** Comparing outputs: differences against a plain loop, and what cannot be compared is said, not hidden in a number. */
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { compareOutputs, OutputComparison } from "../../server/src/runtime/compare.js";

const outputs = (values: number[], shape = [values.length]): Map<string, ort.Tensor> =>
  new Map([["y", new ort.Tensor("float32", Float32Array.from(values), shape)]]);

describe("compareOutputs", () => {
  it("finds the largest and the mean difference", () => {
    expect(compareOutputs(outputs([1, -4, 2]), outputs([1.5, -4, 0]))).toEqual([
      {
        name: "y",
        shape: [3],
        maxDifference: 2,
        meanDifference: 2.5 / 3,
        cosine: 17.5 / Math.sqrt(21 * 18.25),
        // One axis is that of the samples.
        argmaxAgreement: null,
        maxOriginal: 4,
      },
    ]);
  });

  it("adds runs up as if they had been one", () => {
    const a = [1, -4, 2, 0, 3, 3];
    const b = [1.5, -4, 0, 1, 2, 5];
    const comparison = new OutputComparison();
    for (const start of [0, 3])
      comparison.add(outputs(a.slice(start, start + 3), [1, 3]), outputs(b.slice(start, start + 3), [1, 3]));
    const [parts] = comparison.result();
    const [whole] = compareOutputs(outputs(a, [2, 3]), outputs(b, [2, 3]));
    expect({ ...parts, shape: null }).toEqual({ ...whole, shape: null });
    // 2 against 1.5, and the first of two threes against 5.
    expect(whole!.argmaxAgreement).toBe(0);
  });

  it.each([
    // Classes along the last axis that is longer than 1; NaN is never the largest.
    [[2, 2, 1], [1, 2, 3, 0], [0, 1, 0, 1], 1 / 2],
    [[1, 2, 2], [1, 2, 3, 0], [1, 2, 3, 0], 1],
    [[1, 3], [NaN, 1, 2], [NaN, 0, 2], 1],
    [[4, 1], [1, 2, 3, 0], [1, 2, 3, 0], null],
    [[], [1], [1], null],
  ] as const)("for shape %o has the agreement of largest elements", (shape, a, b, agreement) => {
    const [compared] = compareOutputs(outputs([...a], [...shape]), outputs([...b], [...shape]));
    expect(compared!.argmaxAgreement).toBe(agreement);
  });

  it("has no cosine where one of them is 0", () => {
    expect(compareOutputs(outputs([0, 0]), outputs([1, 2]))[0]!.cosine).toBeNull();
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
