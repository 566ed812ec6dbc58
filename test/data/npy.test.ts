/**
 * Reading .npy and .npz: files of NumPy itself in every type and order, any choice of rows against the whole array, and
 * hostile files against the error they get. The fixtures are made by fixtures/make.py.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DataArray, numberAt } from "../../server/src/data/array.js";
import { fileBytes } from "../../server/src/data/file-bytes.js";
import { npyArray } from "../../server/src/data/npy.js";
import { type Npz, openNpz } from "../../server/src/data/npz.js";
import { rowsOf } from "../../server/src/data/stored-array.js";
import { Source } from "../../server/src/formats/source.js";
import { counted, npy, npyBytes, zipped } from "../support/arrays-on-disk.js";

const fixtures = join(import.meta.dirname, "fixtures");
const folder = mkdtempSync(join(tmpdir(), "prunescope-npy-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const numbers = (array: DataArray): number[] =>
  Array.from({ length: array.values.length }, (_, i) => numberAt(array, i));
const upTo24 = Array.from({ length: 24 }, (_, i) => i);

async function readFile<T>(file: string, use: (array: Awaited<ReturnType<typeof npyArray>>) => Promise<T>): Promise<T> {
  const source = new Source(file);
  try {
    return await use(await npyArray(fileBytes(source), "The array", file));
  } finally {
    source.close();
  }
}

const types = {
  float16: "float16",
  float32: "float",
  float64: "double",
  int8: "int8",
  uint8: "uint8",
  int16: "int16",
  uint16: "uint16",
  int32: "int32",
  uint32: "uint32",
  int64: "int64",
  uint64: "uint64",
  "big-float32": "float",
  "big-int64": "int64",
  "big-uint16": "uint16",
  "fortran-float32": "float",
  "fortran-big-float64": "double",
} as const;

describe.each(["stored.npz", "deflated.npz"])("NumPy's %s", (name) => {
  let npz: Npz;
  beforeAll(async () => {
    npz = await openNpz(join(fixtures, name));
  });
  afterAll(() => {
    npz.close();
  });

  it.each(Object.entries(types))("reads %s", async (member, dtype) => {
    const array = await npz.array(member);
    expect(array).toMatchObject({ dtype, shape: [2, 3, 4] });
    expect(numbers(await array.read(0, null))).toEqual(upTo24);
  });

  it.each(["float32", "big-int64", "fortran-float32", "fortran-big-float64"])(
    "reads any rows of any axis of %s",
    async (member) => {
      const array = await npz.array(member);
      const whole = await array.read(0, null);
      for (const [axis, rows] of [
        [0, [1]],
        [1, [0, 2]],
        [1, [1, 2]],
        [2, [0, 1, 3]],
        [2, [3]],
      ] as const) {
        expect(await array.read(axis, rows), `${axis}: ${rows.join()}`).toEqual(rowsOf(whole, axis, rows));
      }
    },
  );

  it("reads booleans and scalars", async () => {
    const bool = await (await npz.array("bool")).read(0, null);
    expect([bool.dtype, numbers(bool)]).toEqual(["bool", upTo24.map((i) => i % 2)]);
    expect(await (await npz.array("scalar")).read(0, null)).toEqual({
      dtype: "float",
      shape: [],
      values: Float32Array.of(7),
    });
  });

  it.each([
    ["text", /Array "text" of .*npz cannot be read: its elements are text, and numbers are needed/],
    ["complex", /its elements are complex numbers/],
    ["records", /its elements are records of several fields/],
  ])("says why %s cannot be used", async (member, message) => {
    await expect(npz.array(member)).rejects.toMatchObject({
      code: "unsupported-format",
      message: expect.stringMatching(message) as string,
    });
  });
});

describe(".npy", () => {
  it("reads NumPy's file", async () => {
    const read = await readFile(join(fixtures, "single.npy"), (array) => array.read(0, null));
    expect(numbers(read)).toEqual(upTo24);
  });

  it("never loads Python objects", async () => {
    await expect(readFile(join(fixtures, "objects.npy"), (array) => array.read(0, null))).rejects.toThrow(
      "its elements are Python objects, which are never loaded",
    );
  });

  it("reads rows larger and smaller than its window alike", async () => {
    for (const inner of [3, 40_000]) {
      const made = counted("float", [9, 2, inner]);
      const file = join(folder, `rows-${inner}.npy`);
      writeFileSync(file, npy(made));
      for (const [axis, rows] of [
        [0, [0, 2, 3, 8]],
        [1, [1]],
      ] as const) {
        expect(await readFile(file, (array) => array.read(axis, rows))).toEqual(rowsOf(made, axis, rows));
      }
    }
  });

  const header = (shape: string, descr = "'<f4'"): string =>
    `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
  const four = new Uint8Array(16);
  const valid = npyBytes(header("(4,)"), four);
  it.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "it is too short for a .npy file"],
    ["another file", Buffer.from("PK and many more bytes"), "it does not begin like a .npy file"],
    ["an unknown version", Buffer.from(valid).fill(9, 6, 7), "its .npy version is 9"],
    [
      "a header longer than the file",
      Buffer.from(valid).fill(255, 8, 10),
      "its header says that it is 65535 bytes long",
    ],
    ["an array that is cut off", valid.subarray(0, -1), "is cut off: its shape [4] needs 144 bytes, and there are 143"],
    ["a shape beyond all memory", npyBytes(header("(99999999, 99999999, 99999999)"), four), "cannot be"],
    ["a shape beyond the file", npyBytes(header("(1000000000,)"), four), "is cut off"],
    ["a negative axis", npyBytes(header("(-4,)"), four), "its header has no shape or order"],
    ["no shape", npyBytes("{'descr': '<f4', 'fortran_order': False}", four), "its header has no shape or order"],
    ["a type of no known size", npyBytes(header("(1,)", "'<f16'"), four), "NumPy's type f16"],
    ["dates", npyBytes(header("(2,)", "'<M8[D]'"), four), "its elements are dates"],
  ])("refuses %s", async (_, bytes, message) => {
    const file = join(folder, "bad.npy");
    writeFileSync(file, bytes);
    await expect(readFile(file, (array) => array.read(0, null))).rejects.toMatchObject({
      code: "unsupported-format",
      message: expect.stringContaining(message) as string,
    });
  });
});

describe(".npz", () => {
  const open = async (bytes: Uint8Array): Promise<Npz> => {
    const file = join(folder, "bad.npz");
    writeFileSync(file, bytes);
    return openNpz(file);
  };

  it.each<[string, () => Promise<Uint8Array>]>([
    ["a file that is no archive", () => Promise.resolve(Buffer.from("not a zip at all, whatever its name says"))],
    [
      "an archive that is cut off",
      async () => (await zipped({ "x.npy": npy(counted("float", [4])) })).subarray(0, -30),
    ],
    ["members outside the archive", () => zipped({ "../../x.npy": npy(counted("float", [4])) })],
  ])("refuses %s", async (_, make) => {
    await expect(open(await make())).rejects.toMatchObject({
      code: "unsupported-format",
      message: expect.stringContaining("is no readable .npz archive") as string,
    });
  });

  it("stops at the size that the directory states, however much is packed", async () => {
    const bytes = await zipped({ "x.npy": npy(counted("float", [100_000], () => 0)) }, true);
    // The uncompressed size in the directory's entry (24 bytes after its signature) becomes 4 GiB - 2.
    const entry = bytes.indexOf(Buffer.from("PK\x01\x02", "latin1"));
    bytes.writeUInt32LE(0xfffffffe, entry + 24);
    const npz = await open(bytes);
    const array = await npz.array("x");
    expect(numbers(await array.read(0, [0, 99_999]))).toEqual([0, 0]);
    npz.close();
    // And 200 bytes, of which a single chunk of the stream has more.
    bytes.writeUInt32LE(200, entry + 24);
    const short = await open(bytes);
    await expect(short.array("x")).rejects.toThrow("too many bytes in the stream. expected 200");
    short.close();
  });

  it("does not make room for more than 2 GiB", async () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }";
    const bytes = await zipped({ "x.npy": npyBytes(header, new Uint8Array(100)) }, true);
    bytes.writeUInt32LE(0xfffffffe, bytes.indexOf(Buffer.from("PK\x01\x02", "latin1")) + 24);
    const npz = await open(bytes);
    const array = await npz.array("x");
    await expect(array.read(0, null)).rejects.toMatchObject({ code: "out-of-memory" });
    await expect(array.read(0, [999_999_999])).rejects.toMatchObject({ code: "unsupported-format" });
    npz.close();
  });
});
