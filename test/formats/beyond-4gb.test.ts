/** Weights behind byte 2^31 and 2^32: in external data and in the model itself, read by ranges, in little memory. */
import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { type PlacedWeight, writeBeyond } from "../support/model-beyond.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { generateLargeModel } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

/** 96 MB. */
const largest: PlacedWeight = { name: "hole", shape: [4096, 6144], offset: 2 ** 31 + 64, hollow: true };
const small = [0, 2 ** 31 - 8192, 2 ** 32 - 16, 2 ** 32 + 2 ** 20];
const weights: readonly PlacedWeight[] = [
  largest,
  ...small.map((offset, i): PlacedWeight => ({ name: `w${i}`, shape: [64, 32], offset, hollow: false })),
];
const bytes = 2 ** 32 + 2 ** 21;

test("external data beyond 4 GB is read where it lies, analysed in less memory than twice the largest tensor", async () => {
  const path = folder.file("beyond.onnx");
  const held = writeBeyond(path, bytes, weights);
  const data = statSync(folder.file("weights.bin"));
  expect(data.size).toBe(bytes);
  // The rest are holes.
  expect(data.blocks * 512).toBeLessThan(1e6);
  reading(path, ({ source, search }) => {
    expect(search.weights.map(({ id }) => id).sort()).toEqual(weights.map(({ name }) => name).sort());
    for (const weight of search.weights) {
      const numbers = held.get(weight.name)!;
      if (numbers.length === 0) continue;
      const read = new Float32Array(weight.size);
      storedElements(source, weight).read(0, weight.size, read);
      expect(Buffer.compare(new Uint8Array(read.buffer), new Uint8Array(numbers.buffer)), weight.name).toBe(0);
    }
  });
  const script = ["test/support/run-ts.mjs", "test/support/memory-of-analysis.ts", path];
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, script, { cwd });
  const told = JSON.parse(stdout) as { readonly bytes: number; readonly kept: readonly number[] };
  expect(told.bytes).toBeLessThan(2 * 4 * 4096 * 6144);
  // At half, every number that is not 0 is kept.
  const total = 4096 * 6144 + small.length * 64 * 32;
  expect(told.kept.reduce((sum, kept) => sum + kept, 0)).toBe(total / 2);
  expect(told.kept.filter((kept) => kept === 64 * 32)).toHaveLength(small.length);
});

test("a model of more than 2 GB in one file is opened, and its last weight lies behind byte 2^31", async () => {
  const { path, layers } = await generateLargeModel(folder.file("hollow.onnx"), 2600, { hollow: true });
  reading(path, ({ source, search }) => {
    expect(search.weights).toHaveLength(layers);
    const { tensor } = search.weights.at(-1)!;
    expect(tensor.offset).toBeGreaterThan(2 ** 31);
    expect(tensor.offset + tensor.length).toBeLessThanOrEqual(source.size());
  });
});
