/** Opening reads structure, never weights: neither time nor memory depends on how large they are. */
import { readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { open } from "../../server/src/analysis/open.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { generateLargeModel } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

/** Bytes that the reader takes at a time. */
const window = 64 * 1024;

class CountingSource extends Source {
  readonly reads: { readonly start: number; readonly length: number }[] = [];

  override read(path: string, offset: number, target: Uint8Array): void {
    if (path === this.main) this.reads.push({ start: offset, length: target.byteLength });
    super.read(path, offset, target);
  }
}

test("a model of 1.5 GB opens within 100 MB", async () => {
  const { path, bytes, layers } = await generateLargeModel(folder.file("hollow.onnx"), 1500, { hollow: true });
  expect(bytes).toBeGreaterThan(1.45e9);
  // Blocks that hold something: the weights are a hole.
  expect(statSync(path).blocks * 512).toBeLessThan(50e6);
  const before = process.resourceUsage().maxRSS;
  const view = await open({ uri: "file:///hollow.onnx", path, dynamicAxes: {} }, quietContext());
  expect((process.resourceUsage().maxRSS - before) / 1e3).toBeLessThan(100);
  expect(view.layers).toHaveLength(layers);
  expect(view.prunable).toBeGreaterThan(360e6);
});

test("a generated model is the same for the same seed, and its size is the one asked for", async () => {
  const [first, again, other, hollow] = await Promise.all(
    [{}, {}, { seed: 2 }, { hollow: true }].map((options, i) =>
      generateLargeModel(folder.file(`generated${i}.onnx`), 3, options),
    ),
  );
  const bytes = [first, again, other, hollow].map((made) => readFileSync(made!.path));
  expect(bytes.map(({ length }) => length)).toEqual(Array(4).fill(first!.bytes));
  expect(Math.abs(first!.bytes / 3e6 - 1)).toBeLessThan(0.02);
  expect(Buffer.compare(bytes[0]!, bytes[1]!)).toBe(0);
  expect(Buffer.compare(bytes[0]!, bytes[2]!)).not.toBe(0);
});

test.each(realModels)("no read begins inside the weights of $file", (real) => {
  const source = new CountingSource(realModelPath(real));
  try {
    const { graph } = readOnnx(source);
    const payloads = [...graph.constants.values()]
      .filter(({ inline, tensor }) => inline === null && tensor.path === source.main)
      .map(({ tensor }) => ({ start: tensor.offset, end: tensor.offset + tensor.length }));
    for (const { start, length } of source.reads) {
      expect(payloads.some((payload) => start > payload.start && start < payload.end)).toBe(false);
      expect(length).toBeLessThanOrEqual(window);
    }
    // A window for what stands behind each large tensor, and what lies between them.
    const total = source.reads.reduce((sum, { length }) => sum + length, 0);
    const weights = payloads.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(total).toBeLessThanOrEqual(2 * (source.size() - weights) + window * (payloads.length + 2));
  } finally {
    source.close();
  }
});
