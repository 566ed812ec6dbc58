/** Made-up data: types, bounds of indices, and the same values for the same seed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { indexBounds } from "../../server/src/data/index-bounds.js";
import { openDataset } from "../../server/src/data/open.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import type { Graph } from "../../server/src/graph/graph.js";
import { graphOf } from "../support/data-graph.js";
import { graph, type GraphParts, model, node, writeModel } from "../support/model-builder.js";
import { tensor, value } from "../support/model-tensors.js";

const folder = mkdtempSync(join(tmpdir(), "prunescope-synthetic-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const options = { seed: 3, dynamicAxes: {}, batch: 16 };

function read(parts: GraphParts): Graph {
  const source = new Source(writeModel(join(folder, "model.onnx"), model({ graph: parts })));
  try {
    return readOnnx(source).graph;
  } finally {
    source.close();
  }
}

const numbers = (length: number): number[] => Array.from({ length }, (_, i) => i);
const table = (name: string, rows: number, columns: number): ReturnType<typeof tensor> =>
  tensor(name, "float", [rows, columns], numbers(rows * columns));

/** Token ids through a Cast, types through Unsqueeze, columns of a transposed table in a branch, and a mask. */
const embeddings = (): Graph =>
  read({
    nodes: [
      node("Cast", ["ids"], ["ids64"], { to: 7 }),
      node("Gather", ["words", "ids64"], ["a"]),
      node("Gather", ["fewer", "ids64"], ["b"]),
      node("Unsqueeze", ["types", "axes"], ["types1"]),
      node("Transpose", ["kinds"], ["kindsT"]),
      node("If", ["yes"], ["c"], {
        then_branch: graph({
          nodes: [node("Gather", ["kindsT", "types1"], ["t"], { axis: 1 })],
          outputs: [value("t", "float", null)],
        }),
        else_branch: graph({ nodes: [node("Identity", ["b"], ["e"])], outputs: [value("e", "float", null)] }),
      }),
      node("Gather", ["a", "place"], ["d"], { axis: 1 }),
      node("Cast", ["attention_mask"], ["m"], { to: 1 }),
    ],
    inputs: [
      value("ids", "int32", ["N", 40]),
      value("types", "int64", ["N", 40]),
      value("place", "int64", [2]),
      value("attention_mask", "int64", ["N", 40]),
    ],
    outputs: ["a", "b", "c", "d", "m"].map((name) => value(name, "float", null)),
    initializers: [
      table("words", 50, 2),
      table("fewer", 20, 2),
      table("kinds", 3, 2),
      tensor("axes", "int64", [1], [1]),
      tensor("yes", "bool", [], [1]),
    ],
  });

describe("indexBounds", () => {
  it("finds the shortest table that an input is an index into", () => {
    expect(Object.fromEntries(indexBounds(embeddings()))).toEqual({ ids: 20, types: 3 });
  });
});

describe("synthetic data", () => {
  it("keeps indices inside their tables, and masks nothing", async () => {
    const data = await openDataset(null, embeddings(), options);
    const { feeds } = await data.batch(0, 16);
    const values = (name: string): Set<number> =>
      new Set(Array.from(feeds[name]!.data as ArrayLike<number | bigint>, Number));
    expect(values("ids")).toEqual(new Set(numbers(20)));
    expect(values("types")).toEqual(new Set(numbers(3)));
    expect(values("place")).toEqual(new Set([...values("place")].filter((index) => index === 0 || index === 1)));
    expect(values("attention_mask")).toEqual(new Set([1]));
    expect(data.words).toMatch(/^16 samples of synthetic values \(seed 3\) for ids int32\[16, 40\] below 20, /);
  });

  it("has as many samples as are asked for, in whole runs of a fixed batch", async () => {
    const free = await openDataset(null, graphOf({ x: { shape: ["N", "c", 8] } }), {
      ...options,
      dynamicAxes: { c: 5 },
    });
    expect(free).toMatchObject({ kind: "synthetic", samples: 16, samplesPerRun: null });
    expect(free.shapes(4).get("x")).toEqual([4, 5, 8]);
    const one = await openDataset(null, graphOf({ x: { shape: [1, 8] } }), options);
    expect(one).toMatchObject({ samples: 16, samplesPerRun: 1 });
    const six = await openDataset(null, graphOf({ x: { shape: [6, 8] } }), options);
    expect(six).toMatchObject({ samples: 12, samplesPerRun: 6 });
    const few = await openDataset(null, graphOf({ x: { shape: [6, 8] } }), { ...options, batch: 2 });
    expect(few).toMatchObject({ samples: 6 });
    const none = await openDataset(null, graphOf({ sr: { shape: [], dtype: "int64" } }), options);
    expect(none).toMatchObject({ samples: 1, samplesPerRun: 1 });
    expect((await none.batch(0, 1)).feeds["sr"]!.data).toEqual(BigInt64Array.of(16000n));
  });

  it("is the same for the same seed, and another for another", async () => {
    const graph = graphOf({ x: { shape: ["N", 8] }, h: { shape: ["N", 2], dtype: "float16" } });
    const [a, b, c] = await Promise.all([3, 3, 4].map((seed) => openDataset(null, graph, { ...options, seed })));
    expect(b!.fingerprint).toBe(a!.fingerprint);
    expect(c!.fingerprint).not.toBe(a!.fingerprint);
  });

  it("is standard normal where elements are floats", async () => {
    const data = await openDataset(null, graphOf({ x: { shape: ["N", 1000] } }), options);
    const values = (await data.batch(0, 16)).feeds["x"]!.data as Float32Array;
    const mean = values.reduce((sum, x) => sum + x, 0) / 16000;
    const variance = values.reduce((sum, x) => sum + x * x, 0) / 16000;
    // Standard errors of 16,000 draws: 1/√16000 = 0.008 and √(2/16000) = 0.011; four of them.
    expect(Math.abs(mean)).toBeLessThan(0.032);
    expect(Math.abs(variance - 1)).toBeLessThan(0.045);
  });

  it.each([
    ["what would fill the memory", { shape: ["N", 2 ** 24] }, "shape-mismatch", "Use fewer samples"],
    ["text", { shape: ["N", 3], dtype: "string" }, "unsupported-op", "which cannot be made up"],
  ] as const)("refuses %s", async (_, x, code, message) => {
    await expect(openDataset(null, graphOf({ x }), options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});
