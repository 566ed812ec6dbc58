/** Folders in ONNX's form of test data: one set or several, as samples. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { TensorProtoSchema } from "onnx-buf";
import { afterAll, describe, expect, it } from "vitest";
import { openDataset } from "../../server/src/data/open.js";
import { counted, tensorFile } from "../support/arrays-on-disk.js";
import { graphOf } from "../support/data-graph.js";

const root = mkdtempSync(join(tmpdir(), "prunescope-sets-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
const defaults = { seed: 0, dynamicAxes: {}, batch: 100 };

/** Writes files by their path; returns the folder. */
function folderOf(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

const graph = graphOf({
  x: { shape: ["N", 2] },
  rate: { shape: [], dtype: "int64" },
  state: { shape: [1, "N", 2] },
});
const set = (start: number, samples = 1, rate = 16000): Record<string, Uint8Array> => ({
  "input_0.pb": tensorFile(counted("float", [samples, 2], (i) => start + i)),
  // By its name, not its number.
  "input_1.pb": tensorFile(
    counted("float", [1, samples, 2], (i) => -start - i),
    "state",
  ),
  "input_2.pb": tensorFile(
    counted("int64", [], () => rate),
    "rate",
  ),
  "output_0.pb": tensorFile(counted("float", [samples, 10])),
});
const sets = (...made: Record<string, Uint8Array>[]): Record<string, Uint8Array> =>
  Object.fromEntries(
    made.flatMap((files, i) => Object.entries(files).map(([name, bytes]) => [`test_data_set_${i}/${name}`, bytes])),
  );

describe("test data", () => {
  it("is one set, whose outputs are no targets", async () => {
    const data = await openDataset(folderOf("one", set(0, 3)), graph, defaults);
    expect(data).toMatchObject({ kind: "test-data-set", samples: 3, targets: [], words: "all 3 samples of one" });
  });

  it("uses outputs as targets when asked", async () => {
    const data = await openDataset(folderOf("asked", set(0, 3)), graph, { ...defaults, outputsAsTargets: true });
    expect(data.targets).toMatchObject([{ output: "y", shape: [3, 10] }]);
  });

  it("is several sets, in the order of their numbers", async () => {
    const files = sets(...Array.from({ length: 11 }, (_, i) => set(10 * i)));
    const { feeds } = await (await openDataset(folderOf("several", files), graph, defaults)).batch(8, 3);
    expect(
      Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, Array.from(data as never[])])),
    ).toEqual({
      x: [80, 81, 90, 91, 100, 101],
      state: [-80, -81, -90, -91, -100, -101],
      rate: [16000n],
    });
  });

  it("reads elements that are not raw", async () => {
    const tensor = create(TensorProtoSchema, { dims: [1n, 2n], dataType: 1, floatData: [1.5, 2.5] });
    const folder = folderOf("typed", { "input_0.pb": toBinary(TensorProtoSchema, tensor) });
    const { feeds } = await (await openDataset(folder, graphOf({ x: { shape: ["N", 2] } }), defaults)).batch(0, 1);
    expect(feeds["x"]!.data).toEqual(Float32Array.of(1.5, 2.5));
  });

  const broken = create(TensorProtoSchema, { dims: [2n, 2n], dataType: 1, rawData: new Uint8Array(12) });
  const absurd = create(TensorProtoSchema, { dims: [2n ** 40n, 2n ** 40n], dataType: 1, rawData: new Uint8Array(12) });
  const text = create(TensorProtoSchema, { dims: [1n], dataType: 8, stringData: [new Uint8Array(3)] });
  it.each<[string, Record<string, Uint8Array>, string, string]>([
    [
      "an input without a file",
      { "input_0.pb": set(0)["input_0.pb"]! },
      "missing-data",
      'holds 0 tensors for input "rate" in 1 sets',
    ],
    [
      "sets that differ in more than samples",
      sets(set(0), {
        ...set(0),
        "input_2.pb": tensorFile(
          counted("int64", [], () => 8000),
          "rate",
        ),
      }),
      "shape-mismatch",
      "the model takes one such value for all samples",
    ],
    [
      "another shape",
      { ...set(0), "input_0.pb": tensorFile(counted("float", [1, 3])) },
      "shape-mismatch",
      "takes [N, 2]",
    ],
    [
      "an input that the model has not",
      { ...set(0), "input_9.pb": tensorFile(counted("float", [1])) },
      "shape-mismatch",
      "is for input 9, and the model has 3 inputs",
    ],
    [
      "fewer bytes than the shape needs",
      { ...set(0), "input_0.pb": toBinary(TensorProtoSchema, broken) },
      "unsupported-format",
      "needs 16 bytes, and there are 12",
    ],
    [
      "an absurd shape",
      { ...set(0), "input_0.pb": toBinary(TensorProtoSchema, absurd) },
      "malformed-model",
      "which cannot be",
    ],
    [
      "text",
      { ...set(0), "input_0.pb": toBinary(TensorProtoSchema, text) },
      "unsupported-format",
      "its elements are string",
    ],
    [
      "no protobuf",
      { ...set(0), "input_0.pb": Buffer.from("not a tensor") },
      "unsupported-format",
      "is no tensor in ONNX's form",
    ],
  ])("refuses %s", async (name, files, code, message) => {
    await expect(openDataset(folderOf(name, files), graph, defaults)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});
