/**
 * Weights that TensorFlow.js stores as codes: read bit for bit as its own `decodeWeights` does, cleared to what decodes
 * to 0 or is nearest to it, refused where other numbers are to be written.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeNearestToZero } from "../../server/src/formats/coded-elements.js";
import { constantBytes } from "../../server/src/formats/constant-bytes.js";
import { Source } from "../../server/src/formats/source.js";
import { blockElements, type StoredElements, storedElements } from "../../server/src/formats/stored-elements.js";
import type { Coded, TensorRef } from "../../server/src/graph/tensor.js";
import { uniform } from "../support/arrays.js";
import { ModelFolder } from "../support/model-folder.js";
import { useBackend } from "../support/tfjs/index.js";

let folder: ModelFolder;
beforeAll(async () => {
  folder = new ModelFolder();
  await useBackend("cpu");
});
afterAll(() => {
  folder.dispose();
});

/** A whole block and a part of one. */
const size = blockElements + 5000;

/** Bytes before the tensor: what is quantised to 8 bits leaves the next one at an odd place. */
const offset = 3;

interface Case extends Coded {
  readonly dtype: "float" | "int32";
  /** What a cleared element reads as; "nearest" where 0 has no code of its own. */
  readonly zero: "exact" | "nearest";
}

const coded = (stored: Coded["stored"], scale: number, min: number, zero: Case["zero"] = "exact"): Case => ({
  stored,
  scale,
  min,
  dtype: "float",
  zero,
});

const cases: readonly Case[] = [
  coded("float16", 1, 0),
  // As tfjs-converter makes it: the minimum is a whole number of steps below 0.
  coded("uint8", 0.013671875, -120 * 0.013671875),
  coded("uint8", 0.0078431372549, -1.0000000019, "nearest"),
  coded("uint16", 3.0517578125e-5, -32768 * 3.0517578125e-5),
  coded("uint16", 1.23456789e-4, -4.0112233, "nearest"),
  // Only positive, only negative, of one number, steps below float32's own.
  coded("uint8", 0.1, 0.55, "nearest"),
  coded("uint8", 0.1, -90.55, "nearest"),
  coded("uint8", 0, 0.25, "nearest"),
  coded("uint16", 1e-12, -0.7, "nearest"),
  { ...coded("uint8", 0.75, -96), dtype: "int32" },
];

/** Every code that there is, in turn, and random ones behind them. */
function codesOf(stored: Coded["stored"]): Uint8Array | Uint16Array {
  const codes = stored === "uint8" ? new Uint8Array(size) : new Uint16Array(size);
  const random = uniform(3);
  for (let i = 0; i < size; i++) codes[i] = i < 65536 ? i : Math.floor(65536 * random());
  return codes;
}

/** What TensorFlow.js makes of the codes. */
function decoded({ stored, scale, min, dtype }: Case, codes: Uint8Array | Uint16Array): Float32Array | Int32Array {
  const original = dtype === "int32" ? ("int32" as const) : ("float32" as const);
  const quantization = stored === "float16" ? { dtype: stored } : { dtype: stored, scale, min };
  const { w } = tf.io.decodeWeights(codes.slice().buffer, [
    { name: "w", shape: [size], dtype: original, quantization },
  ]) as { w: tf.Tensor };
  const values = w.dataSync<"float32">().slice();
  w.dispose();
  return values;
}

function withElements<T>(one: Case, work: (elements: StoredElements, source: Source, tensor: TensorRef) => T): T {
  const codes = codesOf(one.stored);
  const bytes = new Uint8Array(codes.buffer, 0, codes.byteLength);
  const path = folder.write("codes.bin", Buffer.concat([new Uint8Array(offset), bytes]));
  const { stored, scale, min, dtype } = one;
  const tensor: TensorRef = {
    path,
    offset,
    length: bytes.length,
    dtype,
    shape: [size],
    encoding: { stored, scale, min },
  };
  const source = new Source(path);
  try {
    const weight = { id: "w", name: "w", tensor, size, shape: [size], dequantisation: null };
    return work(storedElements(source, weight), source, tensor);
  } finally {
    source.close();
  }
}

/** Patterns of float32, so that −0 is not 0; every NaN is the same, whatever bits it carries. */
const bitsOf = (values: Float32Array | Float64Array | Int32Array): Uint8Array => {
  const plain = new Float32Array(values);
  for (let i = 0; i < plain.length; i++) if (plain[i] !== plain[i]) plain[i] = NaN;
  return new Uint8Array(plain.buffer);
};
const same = (a: Float32Array | Float64Array | Int32Array, b: typeof a): boolean =>
  Buffer.compare(bitsOf(a), bitsOf(b)) === 0;

/** A few blocks, and ranges that begin in the middle of one. */
const ranges = [
  [0, blockElements],
  [blockElements, size - blockElements],
  [blockElements - 7, 19],
] as const;

describe.each(cases)("$stored as $dtype, scale $scale, min $min", (one) => {
  const codes = codesOf(one.stored);

  test("reads bit for bit as TensorFlow.js decodes", () => {
    const wanted = decoded(one, codes);
    withElements(one, (elements, source, tensor) => {
      expect(elements.size).toBe(size);
      const single = new Float32Array(blockElements);
      const exact = new Float64Array(blockElements);
      for (const [start, count] of ranges) {
        elements.read(start, count, single);
        elements.readExact(start, count, exact);
        const part = wanted.subarray(start, start + count);
        expect(same(single.subarray(0, count), part)).toBe(true);
        expect(same(exact.subarray(0, count), part)).toBe(true);
      }
      const { buffer } = constantBytes(source, { name: "w", tensor, inline: null });
      const whole = one.dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer);
      expect(same(whole, wanted)).toBe(true);
    });
  });

  test("what is cleared reads as 0 or what is nearest to it, everything else keeps its bytes", () => {
    const before = decoded(one, codes);
    const least = Array.from(before, Math.abs).reduce((a, b) => (b < a ? b : a), Infinity);
    withElements(one, (elements) => {
      expect(Math.abs(elements.zero)).toBe(least);
      expect(elements.zero === 0).toBe(one.zero === "exact");
      const random = uniform(9);
      const keep = Uint8Array.from({ length: size }, () => (random() < 0.5 ? 0 : 1));
      const after = new Uint8Array(codes.byteLength);
      const each = codes.BYTES_PER_ELEMENT;
      for (const [start, count] of ranges.slice(0, 2)) {
        const { bytes, offset: at } = elements.bytes(start, count);
        expect(at).toBe(offset + start * each);
        const isZero = (value: number): boolean => value === elements.zero;
        expect(elements.countZeros(bytes, start, count)).toBe(
          before.subarray(start, start + count).filter(isZero).length,
        );
        elements.clear(bytes, start, keep.subarray(start, start + count));
        const zeros = before
          .subarray(start, start + count)
          .filter((value, i) => isZero(value) || keep[start + i] === 0).length;
        expect(elements.countZeros(bytes, start, count)).toBe(zeros);
        after.set(bytes, start * each);
      }
      const wanted = before.map((value, i) => (keep[i] === 0 ? elements.zero : value));
      const left = one.stored === "uint8" ? after : new Uint16Array(after.buffer);
      expect(same(decoded(one, left), wanted)).toBe(true);
      expect(left.findIndex((code, i) => keep[i] === 1 && code !== codes[i])).toBe(-1);
    });
  });
});

test("numbers are written to halves, rounded, and refused for codes by name", () => {
  const values = Float64Array.of(0.1, -65504, 2 ** -24, 0);
  withElements(cases[0]!, (elements) => {
    const { bytes } = elements.bytes(0, values.length);
    elements.write(bytes, values);
    const written = new Uint16Array(bytes.slice().buffer);
    expect([...written]).toEqual([0x2e66, 0xfbff, 1, 0]);
    expect(() => {
      elements.write(bytes, Float64Array.of(1e5, 0, 0, 0));
    }).toThrow(expect.objectContaining({ code: "non-finite" }));
  });
  for (const one of cases.slice(1, 4)) {
    withElements(one, (elements) => {
      const { bytes } = elements.bytes(0, values.length);
      expect(() => {
        elements.write(bytes, values);
      }).toThrow(
        expect.objectContaining({ code: "unsupported-op", message: expect.stringContaining(one.stored) as string }),
      );
    });
  }
});

test("the code nearest to 0 is within the range of codes, and no other is nearer", () => {
  const random = uniform(5);
  for (let trial = 0; trial < 300; trial++) {
    const stored = trial % 2 === 0 ? "uint8" : "uint16";
    const most = stored === "uint8" ? 255 : 65535;
    const scale = 10 ** (-6 + 6 * random());
    const min = scale * most * (2 * random() - 1.5);
    const { code, value } = codeNearestToZero({ stored, scale, min });
    expect(code >= 0 && code <= most && Number.isInteger(code)).toBe(true);
    const others = [0, most, code - 1, code + 1].filter((other) => other >= 0 && other <= most);
    for (const other of others)
      expect(Math.abs(Math.fround(other * scale + min))).toBeGreaterThanOrEqual(Math.abs(value));
  }
});
