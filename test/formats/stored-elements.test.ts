/** Laws of reading and clearing stored elements, for every element type and encoding, across the borders of blocks. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DType } from "../../server/protocol/model.js";
import { blockElements, type StoredElements, storedElements } from "../../server/src/formats/stored-elements.js";
import { uniform } from "../support/arrays.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { normals, quantised, roundedTo, sparseWeight, storedWeight, type TestModel } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

/** One block and a part of one. */
const shape = [300, 300] as const;
const size = 300 * 300;

/** Numbers with everything that is easily got wrong among them. */
function awkward(seed: number): number[] {
  const values = normals(seed, size);
  const special = [0, -0, 1e-7, -1e-7, 65504, -65504, 6e-8, 1, -1, 2 ** -14, 2 ** -24];
  special.forEach((value, i) => (values[997 * i] = value));
  return values;
}

interface Case {
  readonly name: string;
  readonly make: () => TestModel;
  /** What the elements stand for. */
  readonly numbers: readonly number[];
}

const floatCases = (["float", "double", "float16", "bfloat16"] as const).flatMap((dtype: DType) =>
  (["raw", "typed", "external"] as const).map((storage): Case => {
    const values = awkward(5);
    return {
      name: `${dtype} ${storage}`,
      make: () => storedWeight({ dtype, storage, shape, values }),
      numbers: roundedTo(dtype, values),
    };
  }),
);

/** Halves with the sign bit as negative numbers: varints of ten bytes. */
function signExtended(): TestModel {
  const made = storedWeight({ dtype: "float16", storage: "typed", shape, values: awkward(5) });
  const [w] = made.proto.graph!.initializer;
  w!.int32Data = w!.int32Data.map((bits) => (bits << 16) >> 16);
  return made;
}

/** w = scale · (q − zero point), from the model's own tensors. */
function dequantised(made: TestModel, axis: number | null, dims: readonly [number, number]): number[] {
  const tensors = new Map(made.proto.graph!.initializer.map((one) => [one.name, one]));
  const raw = (name: string): Uint8Array => tensors.get(name)?.rawData ?? new Uint8Array(0);
  const signed = tensors.get("w")!.dataType === 3;
  const whole = (bytes: Uint8Array): ArrayLike<number> => (signed ? Int8Array.from(bytes) : bytes);
  const q = whole(raw("w"));
  const zero = whole(raw("zero"));
  const scale = new Float32Array(raw("scale").slice().buffer);
  const channel = (i: number): number => (axis === null ? 0 : axis === 0 ? Math.floor(i / dims[1]) : i % dims[1]);
  return Array.from(q, (value, i) => Math.fround((value - (zero[channel(i)] ?? 0)) * scale[channel(i)]!));
}

const quantisedCases = (["int8", "uint8"] as const).flatMap((dtype) =>
  ([null, 0, 1] as const).flatMap((axis) =>
    // 3,000 scales are too many to be kept with the structure: they are read from the file.
    ([shape, axis === 0 ? ([3000, 30] as const) : ([30, 3000] as const)] as const).map((dims): Case => {
      const make = (): TestModel => quantised({ dtype, axis, shape: dims, zeroPoint: axis !== 1 || dtype === "int8" });
      return {
        name: `${dtype} [${dims.join(", ")}] with ${axis === null ? "one scale" : `scales along axis ${axis}`}`,
        make,
        numbers: dequantised(make(), axis, dims),
      };
    }),
  ),
);

const cases: readonly Case[] = [
  ...floatCases,
  ...quantisedCases,
  {
    name: "float16 typed, sign-extended",
    make: signExtended,
    numbers: roundedTo("float16", awkward(5)),
  },
  {
    name: "the stored part of a sparse tensor",
    make: () => sparseWeight({ seed: 5 }),
    numbers: roundedTo("float", normals(5, 16)),
  },
];

/** Calls `work` with the elements of the model's weight. */
function withElements(made: TestModel, work: (elements: StoredElements) => void): void {
  reading(folder.write("model.onnx", made), ({ source, search }) => {
    work(
      storedElements(
        source,
        search.weights.find(({ name }) => name === "w")!,
      ),
    );
  });
}

/** Index of the first number that is another one, −1 when there is none; −0 is another one than 0. */
function different(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  return a.findIndex((number, i) => !Object.is(number, b[i]));
}

/** Visits all elements block by block. */
function blocks(elements: StoredElements, visit: (start: number, count: number) => void): void {
  for (let start = 0; start < elements.size; start += blockElements) {
    visit(start, Math.min(blockElements, elements.size - start));
  }
}

describe.each(cases)("$name", ({ make, numbers }) => {
  test("reads as the numbers that the elements stand for, as float32 and exactly", () => {
    withElements(make(), (elements) => {
      expect(elements.size).toBe(numbers.length);
      const single = new Float32Array(blockElements);
      const exact = new Float64Array(blockElements);
      blocks(elements, (start, count) => {
        elements.read(start, count, single);
        elements.readExact(start, count, exact);
        const expected = Float64Array.from(numbers.slice(start, start + count));
        expect(different(exact.subarray(0, count), expected)).toBe(-1);
        expect(different(single.subarray(0, count), Float32Array.from(expected))).toBe(-1);
      });
    });
  });

  test("a cleared element decodes to 0, every other one keeps its bytes, and lengths stay", () => {
    withElements(make(), (elements) => {
      const random = uniform(9);
      const keep = Uint8Array.from({ length: elements.size }, () => (random() < 0.5 ? 0 : 1));
      blocks(elements, (start, count) => {
        const part = keep.subarray(start, start + count);
        const { bytes } = elements.bytes(start, count);
        const before = Uint8Array.from(bytes);
        const zerosBefore = elements.countZeros(bytes, start, count);
        expect(zerosBefore).toBe(numbers.slice(start, start + count).filter((number) => number === 0).length);
        elements.clear(bytes, start, part);
        expect(bytes.length).toBe(before.length);
        const zeros = numbers.slice(start, start + count).filter((number, i) => number === 0 || part[i] === 0).length;
        expect(elements.countZeros(bytes, start, count)).toBe(zeros);
        // Clearing once more what is kept leaves nothing: so the two masks meet every element once.
        const other = Uint8Array.from(before);
        elements.clear(
          other,
          start,
          Uint8Array.from(part, (flag) => 1 - flag),
        );
        for (let i = 0; i < bytes.length; i++) {
          if (bytes[i] !== before[i] && other[i] !== before[i]) throw new Error(`byte ${i} belongs to two elements`);
        }
      });
    });
  });

  test("a mask that keeps everything changes no byte, and one that keeps nothing leaves only zeros", () => {
    withElements(make(), (elements) => {
      blocks(elements, (start, count) => {
        const { bytes } = elements.bytes(start, count);
        const before = Uint8Array.from(bytes);
        elements.clear(bytes, start, new Uint8Array(count).fill(1));
        expect(Buffer.compare(bytes, before)).toBe(0);
        elements.clear(bytes, start, new Uint8Array(count));
        expect(elements.countZeros(bytes, start, count)).toBe(count);
      });
    });
  });
});

test("varints that are more or fewer than the shape says are named", () => {
  for (const change of [(list: number[]) => list.slice(1), (list: number[]) => [...list, 1]]) {
    const made = storedWeight({ dtype: "float16", storage: "typed", shape, values: awkward(5) });
    const [w] = made.proto.graph!.initializer;
    w!.int32Data = change(w!.int32Data);
    expect(() => {
      withElements(made, () => undefined);
    }).toThrow(expect.objectContaining({ code: "malformed-model", message: expect.stringContaining('"w"') as string }));
  }
});

describe("writing numbers", () => {
  const other = awkward(6);

  test.each(
    (["float", "double", "float16", "bfloat16"] as const).flatMap(
      (dtype) =>
        [
          [dtype, "raw"],
          [dtype, "external"],
        ] as const,
    ),
  )("%s, %s: the bytes are those of a model that was made with them", (dtype, storage) => {
    const wanted: Uint8Array[] = [];
    withElements(storedWeight({ dtype, storage, shape, values: other }), (elements) => {
      blocks(elements, (start, count) => wanted.push(Uint8Array.from(elements.bytes(start, count).bytes)));
    });
    withElements(storedWeight({ dtype, storage, shape, values: awkward(5) }), (elements) => {
      blocks(elements, (start, count) => {
        const { bytes } = elements.bytes(start, count);
        elements.write(bytes, Float64Array.from(other.slice(start, start + count)));
        expect(Buffer.compare(bytes, wanted.shift()!)).toBe(0);
      });
    });
  });

  test.each([
    ["float16", 65520, "non-finite"],
    ["bfloat16", 3.4e38, "non-finite"],
    ["float", 1e39, "non-finite"],
    ["float", NaN, "non-finite"],
  ] as const)("%s has no number for %s", (dtype, number, code) => {
    withElements(storedWeight({ dtype, storage: "raw", shape: [2, 2], values: [1, 2, 3, 4] }), (elements) => {
      const { bytes } = elements.bytes(0, 4);
      expect(() => {
        elements.write(bytes, Float64Array.of(1, number, 0, 0));
      }).toThrow(expect.objectContaining({ code }) as Error);
    });
  });

  test.each([
    ["varints", () => storedWeight({ dtype: "float16", storage: "typed", shape: [2, 2], values: [1, 2, 3, 4] })],
    ["codes of integers", () => quantised({ dtype: "int8", axis: null, shape: [2, 2] })],
  ] as const)("%s are refused", (_name, make) => {
    withElements(make(), (elements) => {
      const { bytes } = elements.bytes(0, 4);
      expect(() => {
        elements.write(bytes, new Float64Array(4));
      }).toThrow(expect.objectContaining({ code: "unsupported-op" }) as Error);
    });
  });
});
