/** Data from .npz and .npy for a model's inputs: what meets what, what is chosen, and what every mismatch is told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DataArray } from "../../server/src/data/array.js";
import { chooseRows } from "../../server/src/data/choose.js";
import { checkLabels, type DataOptions, type Dataset } from "../../server/src/data/dataset.js";
import { openDataset } from "../../server/src/data/open.js";
import type { Graph } from "../../server/src/graph/graph.js";
import { counted, npy, npz } from "../support/arrays-on-disk.js";
import { graphOf, type ValueWords } from "../support/data-graph.js";

const folder = mkdtempSync(join(tmpdir(), "prunescope-data-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const file = join(folder, "set.npz");
const defaults: DataOptions = { seed: 1, dynamicAxes: {}, batch: 100 };

async function open(
  graph: Graph,
  arrays: Readonly<Record<string, DataArray>>,
  options: Partial<DataOptions> = {},
): Promise<Dataset> {
  writeFileSync(file, await npz(arrays, true));
  return openDataset(file, graph, { ...defaults, ...options });
}

const x = (shape: ValueWords["shape"], dtype: ValueWords["dtype"] = "float"): Graph => graphOf({ x: { shape, dtype } });

/** Dimensions and numbers of a feed. */
async function fed(data: Dataset, name: string, start = 0, count = data.samples): Promise<[number[], number[]]> {
  const tensor = (await data.batch(start, count)).feeds[name]!;
  return [[...tensor.dims], Array.from(tensor.data as ArrayLike<number | bigint>, Number)];
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("shapes", () => {
  it.each<[string, readonly (string | number | null)[], number[], number[], number | null]>([
    ["as they are", ["N", 3, 2, 2], [5, 3, 2, 2], [5, 3, 2, 2], null],
    ["with a batch of 1", [1, 3, 2, 2], [5, 3, 2, 2], [5, 3, 2, 2], 1],
    ["with a batch of 2", [2, 3], [6, 3], [6, 3], 2],
    ["one sample without its axis", ["N", 3, 2, 2], [3, 2, 2], [1, 3, 2, 2], null],
    ["one signal without its axis", ["batch", "samples"], [7], [1, 7], null],
    ["images without a channel axis", [1, 1, 4, 4], [5, 4, 4], [5, 1, 4, 4], 1],
    ["channels last without their axis", [null, 4, 4, 1], [5, 4, 4], [5, 4, 4, 1], null],
    ["dynamic height and width", ["N", 1, "h", "w"], [5, 4, 6], [5, 1, 4, 6], null],
    ["one image either way", ["N", 1, 4, 4], [1, 4, 4], [1, 1, 4, 4], null],
  ])("%s", async (_, input, given, expected, perRun) => {
    const data = await open(x(input), { x: counted("float", given) });
    const [dims, numbers] = await fed(data, "x");
    expect(dims).toEqual(expected);
    expect(numbers).toEqual(upTo(numbers.length));
    expect(data.shapes(data.samples).get("x")).toEqual(expected);
    expect(data).toMatchObject({ samples: expected[0], samplesPerRun: perRun });
  });

  it("counts samples of a recurrent state on its second axis, and feeds a rate to all", async () => {
    for (const batch of ["batch", null]) {
      const graph = graphOf({
        input: { shape: [batch, null] },
        state: { shape: [2, batch, 3] },
        sr: { shape: [], dtype: "int64" },
      });
      const arrays = { input: counted("float", [4, 5]), state: counted("float", [2, 4, 3]), sr: counted("int32", [1]) };
      const data = await open(graph, arrays);
      expect(Object.fromEntries(data.shapes(2))).toEqual({ input: [2, 5], state: [2, 2, 3], sr: [] });
      expect(await fed(data, "state", 1, 2)).toEqual([
        [2, 2, 3],
        [3, 4, 5, 6, 7, 8, 15, 16, 17, 18, 19, 20],
      ]);
      expect(await fed(data, "sr", 1, 2)).toEqual([[], [0]]);
    }
  });

  it("lets one sample of one input serve all of another", async () => {
    const graph = graphOf({ input: { shape: ["N", 2] }, state: { shape: [2, "N", 1] } });
    const data = await open(graph, { input: counted("float", [3, 2]), state: counted("float", [2, 1, 1]) });
    expect(await fed(data, "state")).toEqual([
      [2, 3, 1],
      [0, 0, 0, 1, 1, 1],
    ]);
    expect(data.notes).toEqual([expect.stringMatching(/"state".*holds one sample, which serves all/)]);
  });
});

describe("samples", () => {
  const graph = x(["N", 2]);
  const arrays = { x: counted("uint8", [50, 2]), labels: counted("int32", [50], (i) => i % 10) };

  it("are chosen with the seed, labels with them", async () => {
    const data = await open(graph, arrays, { batch: 8, seed: 5 });
    const rows = chooseRows(50, 8, 5);
    expect((await fed(data, "x"))[1]).toEqual(rows.flatMap((row) => [2 * row, 2 * row + 1]));
    expect(data.labels).toMatchObject({ values: BigInt64Array.from(rows, (row) => BigInt(row % 10)), shape: [8] });
    expect(data.words).toBe("8 of 50 samples of set.npz, chosen with seed 5");
    const other = await open(graph, arrays, { batch: 8, seed: 6 });
    expect(other.fingerprint).not.toBe(data.fingerprint);
    expect((await open(graph, arrays, { batch: 8, seed: 5 })).fingerprint).toBe(data.fingerprint);
  });

  it("come in parts that share none, until there are too few", async () => {
    const parts: number[][] = [];
    for (const part of [0, 1, 2, 3, 4, 5]) {
      const data = await open(graph, arrays, { batch: 8, seed: 5, part });
      expect(data).toMatchObject({ samples: 8, available: 50 });
      parts.push((await fed(data, "x"))[1].filter((number) => number % 2 === 0));
    }
    expect(parts[0]).toEqual(chooseRows(50, 8, 5).map((row) => 2 * row));
    expect(new Set(parts.flat()).size).toBe(48);
    const words = "set.npz holds 50 samples, too few for batch 7 of 8.";
    await expect(open(graph, arrays, { batch: 8, part: 6 })).rejects.toMatchObject({
      code: "missing-data",
      message: words,
    });
    await expect(open(graph, arrays, { part: 1 })).rejects.toMatchObject({ code: "missing-data" });
  });

  it("come in batches that are parts of the whole", async () => {
    const data = await open(graph, { ...arrays, targets: counted("double", [50, 3]) });
    expect(data.words).toBe("all 50 samples of set.npz");
    const whole = await data.batch(0, 50);
    const parts = [await data.batch(0, 20), await data.batch(20, 30)];
    const joined = (pick: (one: typeof whole) => Iterable<number | bigint>): unknown[] =>
      parts.flatMap((part) => [...pick(part)]);
    const picks: ((one: typeof whole) => Iterable<number | bigint>)[] = [
      ({ feeds }) => feeds["x"]!.data as Float32Array,
      ({ labels }) => labels!.values,
      ({ targets }) => targets[0]!.values,
    ];
    for (const pick of picks) expect(joined(pick)).toEqual([...pick(whole)]);
    expect(parts[1]!.targets).toMatchObject([{ output: null, shape: [30, 3] }]);
    expect(parts[1]!.labels).toMatchObject({ shape: [30] });
  });

  it("fill whole runs of a model with a fixed batch", async () => {
    const data = await open(x([4, 2]), arrays, { batch: 10 });
    expect(data).toMatchObject({ samples: 8, samplesPerRun: 4 });
  });

  it("change the fingerprint with any label", async () => {
    const first = await open(graph, arrays);
    const second = await open(graph, { ...arrays, labels: counted("int32", [50], (i) => (i + 1) % 10) });
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });
});

describe("names", () => {
  it("let a single array of another name be the only input", async () => {
    const data = await open(x(["N", 2]), { images: counted("float", [3, 2]), labels: counted("int64", [3]) });
    expect(data.notes).toEqual(['Array "images" is fed to "x", the model\'s only input.']);
  });

  it("give targets to outputs", async () => {
    const data = await open(x(["N", 2]), { x: counted("float", [3, 2]), y: counted("float", [3, 10]) });
    expect(data.targets).toMatchObject([{ output: "y", shape: [3, 10] }]);
  });

  it("that nothing asks for are told", async () => {
    const data = await open(x(["N", 2]), { x: counted("float", [3, 2]), weights: counted("float", [3]) });
    expect(data.notes).toEqual(['Not used: "weights" of set.npz.']);
  });
});

describe("refuses", () => {
  const two = graphOf({ a: { shape: ["N", "seq"], dtype: "int64" }, b: { shape: ["N", "seq"] } });
  it.each<[string, Graph, Record<string, DataArray>, string, string]>([
    [
      "an input without an array",
      two,
      { a: counted("int64", [3, 4]), c: counted("float", [3, 4]) },
      "missing-data",
      'set.npz has no array for input "b" (float [N, seq]). It holds "a", "c".',
    ],
    ["an archive of nothing", x(["N"]), {}, "missing-data", "It holds no array."],
    [
      "two candidates",
      x(["N", 2]),
      { u: counted("float", [3, 2]), v: counted("float", [3, 2]) },
      "missing-data",
      '"u", "v"',
    ],
    [
      "another shape",
      x(["N", 3, 8, 8]),
      { x: counted("float", [2, 3, 8, 9]) },
      "shape-mismatch",
      'set.npz has the shape [2, 3, 8, 9], and input "x" takes [N, 3, 8, 8] (N samples).',
    ],
    [
      "channels last where they come first",
      x(["N", 3, 8, 8]),
      { x: counted("float", [2, 8, 8, 3]) },
      "shape-mismatch",
      "Its channels come last, and the model wants them first: transpose it.",
    ],
    [
      "channels first where they come last",
      x(["N", 8, 8, 3]),
      { x: counted("float", [2, 3, 8, 8]) },
      "shape-mismatch",
      "Its channels come first, and the model wants them last: transpose it.",
    ],
    ["flat images", x(["N", 1, 4, 4]), { x: counted("float", [3, 16]) }, "shape-mismatch", "[3, 16]"],
    [
      "an axis that could go anywhere",
      x([null, null, null]),
      { x: counted("float", [3, 4]) },
      "shape-mismatch",
      "[N, any, any]",
    ],
    ["an empty array", x(["N", 2]), { x: counted("float", [0, 2]) }, "missing-data", "is empty: its shape is [0, 2]"],
    [
      "different numbers of samples",
      two,
      { a: counted("int64", [3, 4]), b: counted("float", [2, 4]) },
      "shape-mismatch",
      "holds 2 samples, and the inputs 3",
    ],
    [
      "too few labels",
      x(["N", 2]),
      { x: counted("float", [3, 2]), labels: counted("int64", [1]) },
      "shape-mismatch",
      'Array "labels"',
    ],
    [
      "axes of one name and two lengths",
      two,
      { a: counted("int64", [3, 4]), b: counted("float", [3, 5]) },
      "shape-mismatch",
      'Axis "seq" of the model is 4 long by Array "a"',
    ],
    [
      "fewer samples than a run takes",
      x([4, 2]),
      { x: counted("float", [3, 2]) },
      "missing-data",
      "holds 3 samples, and the model takes 4 at a time",
    ],
    [
      "NaN",
      x(["N", 2]),
      { x: counted("float", [3, 2], (i) => (i === 4 ? NaN : i)) },
      "non-finite",
      "set.npz cannot be used: element [2, 0] is NaN",
    ],
    [
      "fractions as indices",
      x(["N", 2], "int64"),
      { x: counted("float", [3, 2], (i) => i / 2) },
      "shape-mismatch",
      "element [0, 1] is 0.5",
    ],
    [
      "fractions as labels",
      x(["N", 2]),
      { x: counted("float", [3, 2]), labels: counted("float", [3], (i) => i / 2) },
      "shape-mismatch",
      'Array "labels"',
    ],
  ])("%s", async (_, graph, arrays, code, message) => {
    await expect(open(graph, arrays)).rejects.toMatchObject({
      name: "PruneScopeError",
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it("labels beyond the model's classes", async () => {
    const { labels } = await open(x(["N", 2]), { x: counted("float", [3, 2]), labels: counted("int64", [3]) });
    expect(() => checkLabels(labels!, 3)).not.toThrow();
    expect(() => checkLabels(labels!, 2)).toThrow(
      expect.objectContaining({
        code: "shape-mismatch",
        message: expect.stringContaining(
          "holds 2 at place 2, and the model has 2 classes: labels go from 0 to 1",
        ) as string,
      }),
    );
    expect(() => checkLabels({ ...labels!, values: BigInt64Array.of(0n, -1n) }, 3)).toThrow("holds -1 at place 1");
  });

  it.each([
    ["nothing there", join(folder, "absent.npz"), "missing-data", "does not exist"],
    ["a file of another kind", join(folder, "set.csv"), "unsupported-format", "give a .npz or .npy file"],
  ])("%s", async (_, path, code, message) => {
    writeFileSync(join(folder, "set.csv"), "1,2");
    await expect(openDataset(path, x(["N"]), defaults)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it.each([0, -1, 1.5, NaN])("%d samples", async (batch) => {
    await expect(openDataset(null, x(["N", 2]), { ...defaults, batch })).rejects.toMatchObject({ code: "bad-request" });
  });
});

describe(".npy", () => {
  const path = join(folder, "x.npy");
  it("is the only input", async () => {
    writeFileSync(path, npy(counted("uint8", [3, 4, 4])));
    const data = await openDataset(path, x([1, 1, 4, 4]), { ...defaults, batch: 2 });
    expect(data).toMatchObject({
      kind: "npy",
      samples: 2,
      labels: null,
      words: "2 of 3 samples of x.npy, chosen with seed 1",
    });
    expect((await fed(data, "x", 1, 1))[0]).toEqual([1, 1, 4, 4]);
  });

  it("does not do for two", async () => {
    const graph = graphOf({ a: { shape: ["N"] }, b: { shape: ["N"] } });
    await expect(openDataset(path, graph, defaults)).rejects.toThrow(
      'the model has 2 inputs: "a", "b". Use a .npz file',
    );
  });
});
