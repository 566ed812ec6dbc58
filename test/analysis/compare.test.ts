/** The job `compare`: numbers worked out by hand, what must hold between any two models, and models that do not fit together. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CompareReport } from "../../server/protocol/compare.js";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { compare } from "../../server/src/analysis/compare.js";
import { latencyOf } from "../../server/src/analysis/comparison/latency.js";
import { save } from "../../server/src/analysis/save.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { convNet, mlp, model, node, tensor, type TestModel, unknownDomain, value, weight } from "../support/models.js";

let folder = new ModelFolder();
beforeEach(() => (folder = new ModelFolder()));
afterEach(() => {
  folder.dispose();
});

async function compared(
  original: string,
  pruned: string,
  recipe: Partial<Recipe> = {},
  { latencySeconds = 0, context = quietContext() }: { latencySeconds?: number; context?: JobContext } = {},
): Promise<CompareReport> {
  const params = { uri: original, path: original, pruned, recipe: { ...defaultRecipe, ...recipe }, latencySeconds };
  return compare(params, context);
}

/** y = x·W, samples along the first axis. */
function product(
  w: readonly number[],
  { dtype = "float", output = "y", name = "w" }: { dtype?: "float" | "float16"; output?: string; name?: string } = {},
): TestModel {
  return model({
    graph: {
      nodes: [node("MatMul", ["x", name], [output])],
      inputs: [value("x", dtype, ["batch", 2])],
      outputs: [value(output, dtype, ["batch", 3])],
      initializers: [tensor(name, dtype, [2, 3], w)],
    },
  });
}

const dense = [1, 2, 3, 4, 5, 6];
const sparse = [1, 0, 3, 0, 5, 4];
/** With the two unit vectors as samples the outputs are the rows of W. */
const units = counted("float", [2, 2], (i) => (i % 3 === 0 ? 1 : 0));

describe("two small models", () => {
  it.each(["float", "float16"] as const)("of %s have the numbers that were worked out by hand", async (dtype) => {
    const original = folder.write("a.onnx", product(dense, { dtype }));
    const pruned = folder.write("b.onnx", product(sparse, { dtype }));
    const labels = counted("int64", [2], (i) => [2, 1][i]!);
    const data = folder.write("data.npz", await npz({ x: units, labels }));
    const report = await compared(original, pruned, { data });
    expect(report.layers).toEqual([
      // Of the four that are left 1, 3 and 5 are what they were, and 6 became 4.
      { id: "w", op: "MatMul", shape: [2, 3], parameters: 6, zeros: { original: 0, pruned: 2 }, unchanged: 3 / 4 },
    ]);
    expect(report.samples).toBe(2);
    // Rows 1 2 3 and 4 5 6 against 1 0 3 and 0 5 4: all of it is exact in float16 too.
    expect(report.outputs).toEqual([
      {
        name: "y",
        shape: [2, 3],
        maxDifference: 4,
        meanDifference: 8 / 6,
        cosine: 59 / Math.sqrt(91 * 51),
        argmaxAgreement: 1 / 2,
        maxOriginal: 6,
      },
    ]);
    expect(report.accuracy).toEqual({ original: 1 / 2, pruned: 1, samples: 2 });
    expect(report.latency).toBeNull();
    expect(report.compressed).toMatchObject({
      original: { bytes: report.original.bytes },
      pruned: { bytes: report.pruned.bytes },
    });
    expect(report.notes).toEqual([]);
  });

  it("differ by as much the other way round", async () => {
    const a = folder.write("a.onnx", convNet({ seed: 1 }));
    const b = folder.write("b.onnx", convNet({ seed: 5 }));
    const [there, back] = [await compared(a, b), await compared(b, a)];
    const symmetric = ({ outputs }: CompareReport): unknown =>
      outputs.map(({ maxDifference, meanDifference, cosine, argmaxAgreement }) => [
        maxDifference,
        meanDifference,
        cosine,
        argmaxAgreement,
      ]);
    expect(symmetric(there)).toEqual(symmetric(back));
    expect(there.outputs[0]!.maxDifference).toBeGreaterThan(0);
    expect(there.input).toContain("synthetic");
    expect(there.samples).toBe(32);
    expect(there.notes.join()).toContain("made up");
  });

  it("are compared on every sample, also on those that make up no whole run", async () => {
    const original = folder.write("a.onnx", product(dense));
    const pruned = folder.write("b.onnx", product(sparse));
    // Only the last of nine samples is not 0.
    const x = counted("float", [9, 2], (i) => (i === 16 ? 1 : 0));
    const labels = counted("int64", [9], (i) => (i === 8 ? 2 : 1));
    const data = folder.write("data.npz", await npz({ x, labels }));
    const report = await compared(original, pruned, { data });
    expect(report.outputs[0]).toMatchObject({ maxDifference: 2, meanDifference: 2 / 27, argmaxAgreement: 1 });
    // All scores of the eight are 0, and the first of equal ones is no right answer.
    expect(report.accuracy).toEqual({ original: 1 / 9, pruned: 1 / 9, samples: 9 });
  });
});

describe("a model", () => {
  it("is itself: no difference, a cosine of exactly 1, every sample and weight the same", async () => {
    const path = folder.write("a.onnx", convNet());
    const { outputs, layers } = await compared(path, path);
    expect(outputs).toMatchObject([{ maxDifference: 0, meanDifference: 0, cosine: 1, argmaxAgreement: 1 }]);
    for (const { zeros, unchanged } of layers) expect([zeros.original, unchanged]).toEqual([zeros.pruned, 1]);
  });

  it("keeps what a save does not prune, bit by bit, and loses what it does", async () => {
    const path = folder.write("a.onnx", mlp({ widths: [20, 40, 10] }));
    const saved = await save(saveParams(path, { recipe: { sparsity: 0.8 } }), quietContext());
    const { layers, latency } = await compared(path, saved.path, {}, { latencySeconds: 0.05 });
    expect(layers.map(({ zeros, unchanged }) => [zeros.pruned, unchanged])).toEqual(
      saved.layers.map(({ zeros }) => [zeros, 1]),
    );
    expect(latency).toMatchObject({ threads: 1, samples: 1 });
    for (const { low, median, high, runs } of [latency!.original, latency!.pruned]) {
      expect(runs).toBe(latency!.original.runs);
      expect(0 < low && low <= median && median <= high).toBe(true);
    }
  });

  it("with samples that only it takes one at a time is run so", async () => {
    // The axis of the samples is free, and a Reshape inside has room for one sample only.
    const rigid = model({
      graph: {
        nodes: [node("Reshape", ["x", "shape"], ["h"]), node("MatMul", ["h", "w"], ["y"])],
        inputs: [value("x", "float", ["batch", 6])],
        outputs: [value("y", "float", null)],
        initializers: [tensor("shape", "int64", [2], [1, 6]), weight("w", [6, 3], 1)],
      },
    });
    const path = folder.write("rigid.onnx", rigid);
    const { outputs, samples } = await compared(path, path, { batch: 5 });
    expect(samples).toBe(5);
    expect(outputs).toMatchObject([{ shape: [1, 3], maxDifference: 0 }]);
  });
});

describe("memory", () => {
  it("that holds one model and not two lets them run one after the other, with the same numbers", async () => {
    const original = folder.write("a.onnx", mlp({ widths: [64, 512, 10] }));
    const saved = await save(saveParams(original), quietContext());
    const labels = counted("int64", [9], (i) => i);
    const x = counted("float", [9, 64], (i) => Math.sin(i));
    const data = folder.write("data.npz", await npz({ x, labels }));
    const tight: JobContext = { ...quietContext(), settings: { threads: 1, memoryLimit: 0.5, cacheMaxSize: 100 } };
    const [together, apart] = [
      await compared(original, saved.path, { data }),
      await compared(original, saved.path, { data }, { latencySeconds: 0.02, context: tight }),
    ];
    expect(apart.outputs).toEqual(together.outputs);
    expect(apart.accuracy).toEqual(together.accuracy);
    expect(apart.latency!.pruned.runs).toBeGreaterThan(0);
    expect(apart.notes.join()).toContain("one after the other");
  });

  it("that does not hold one model leaves layers and sizes", async () => {
    const path = folder.write("a.onnx", mlp({ widths: [64, 512, 10] }));
    const context: JobContext = { ...quietContext(), settings: { threads: 1, memoryLimit: 0.1, cacheMaxSize: 100 } };
    const report = await compared(path, path, {}, { context });
    expect(report).toMatchObject({ samples: 0, outputs: [], accuracy: null, latency: null });
    expect(report.layers).toHaveLength(2);
    expect(report.notes.join()).toContain("prunescope.engine.memoryLimit");
  });
});

describe("models that do not fit together", () => {
  it("with other layers have what each has, and a note", async () => {
    const a = folder.write("a.onnx", product(dense));
    const b = folder.write("b.onnx", product(sparse, { name: "v" }));
    const { layers, notes } = await compared(a, b);
    expect(layers.map(({ id, zeros, unchanged }) => [id, zeros, unchanged])).toEqual([
      ["w", { original: 0, pruned: null }, null],
      ["v", { original: null, pruned: 2 }, null],
    ]);
    expect(notes.join(" ")).toMatch(/1 of the original's layers .* 1 of the pruned model's layers/);
  });

  it("with another type of weight have both counts and no share of equal ones", async () => {
    const cast = model({
      graph: {
        nodes: [node("Cast", ["w"], ["c"], { to: 1 }), node("MatMul", ["x", "c"], ["y"])],
        inputs: [value("x", "float", ["batch", 2])],
        outputs: [value("y", "float", ["batch", 3])],
        initializers: [tensor("w", "float16", [2, 3], sparse)],
      },
    });
    const { layers } = await compared(folder.write("a.onnx", product(dense)), folder.write("b.onnx", cast));
    expect(layers).toMatchObject([{ zeros: { original: 0, pruned: 2 }, unchanged: null }]);
  });

  it("with other outputs are compared by those that both have", async () => {
    const a = folder.write("a.onnx", product(dense));
    const b = folder.write("b.onnx", product(sparse, { output: "z" }));
    const { outputs, notes } = await compared(a, b);
    expect(outputs).toEqual([]);
    expect(notes.join()).toContain("Only one of the models has the outputs y, z.");
  });

  it("with other inputs are refused", async () => {
    const a = folder.write("a.onnx", product(dense));
    const b = folder.write("b.onnx", product(dense, { dtype: "float16" }));
    await expect(compared(a, b)).rejects.toMatchObject({
      code: "shape-mismatch",
      message: expect.stringContaining('"x" (float) and "x" (float16)') as string,
    });
  });

  it("that run nowhere still have layers and sizes", async () => {
    const path = folder.write("a.onnx", unknownDomain());
    const report = await compared(path, path);
    expect(report.samples).toBe(0);
    expect(report.layers.map(({ unchanged }) => unchanged)).toEqual([1, 1]);
    expect(report.notes.join()).toMatch(/The models were not run: .*com\.example\.fancy/);
  });
});

describe("labels", () => {
  const labelled = async (labels: ReturnType<typeof counted>): Promise<string> =>
    folder.write("data.npz", await npz({ x: units, labels }));

  it("beyond the classes are refused", async () => {
    const path = folder.write("a.onnx", product(dense));
    const data = await labelled(counted("int64", [2], () => 3));
    await expect(compared(path, path, { data })).rejects.toMatchObject({ code: "shape-mismatch" });
  });

  it("for an output without classes leave accuracy open, with the reason", async () => {
    const single = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["y"])],
        inputs: [value("x", "float", ["batch", 2])],
        outputs: [value("y", "float", ["batch", 1])],
        initializers: [tensor("w", "float", [2, 1], [1, 2])],
      },
    });
    const path = folder.write("a.onnx", single);
    const { accuracy, outputs, notes } = await compared(path, path, {
      data: await labelled(counted("int64", [2], () => 0)),
    });
    expect(accuracy).toBeNull();
    expect(outputs[0]!.argmaxAgreement).toBeNull();
    expect(notes.join()).toMatch(/Accuracy was not measured: .*two classes/);
  });

  it("are about the output that the recipe's loss names", async () => {
    const two = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["y"]), node("Neg", ["y"], ["z"])],
        inputs: [value("x", "float", ["batch", 2])],
        outputs: [value("y", "float", ["batch", 3]), value("z", "float", ["batch", 3])],
        initializers: [tensor("w", "float", [2, 3], dense)],
      },
    });
    const path = folder.write("a.onnx", two);
    const data = await labelled(counted("int64", [2], () => 2));
    expect((await compared(path, path, { data })).accuracy).toMatchObject({ original: 1 });
    expect((await compared(path, path, { data, loss: ":z" })).accuracy).toMatchObject({ original: 0 });
  });
});

it("refuses data that is not there", async () => {
  const path = folder.write("a.onnx", product(dense));
  await expect(compared(path, path, { data: folder.file("none.npz") })).rejects.toMatchObject({ code: "missing-data" });
});

it("stops between runs when it is cancelled", async () => {
  const path = folder.write("a.onnx", convNet());
  let steps = 0;
  const cancelled = new PruneScopeError("cancelled", "Cancelled.");
  const context: JobContext = {
    ...quietContext(),
    checkpoint: () => (++steps > 6 ? Promise.reject(cancelled) : Promise.resolve()),
  };
  await expect(compared(path, path, {}, { context, latencySeconds: 60 })).rejects.toBe(cancelled);
});

it("takes quartiles between the times that are nearest", () => {
  expect(latencyOf([4, 1, 2, 3])).toEqual({ median: 2.5, low: 1.75, high: 3.25, runs: 4 });
  expect(latencyOf([7])).toEqual({ median: 7, low: 7, high: 7, runs: 1 });
});
