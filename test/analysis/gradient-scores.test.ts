/** Gradient scores from analysis to saved file: what identifies them, when they are made anew, and what the report says. */
import { copyFileSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnalysisResult } from "../../server/protocol/report.js";
import { defaultRecipe, keptCount, type Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { save } from "../../server/src/analysis/save.js";
import { survival } from "../../server/src/analysis/survival.js";
import { Sensitivity } from "../../server/src/autodiff/sensitivity.js";
import type { DataArray } from "../../server/src/data/array.js";
import { blockElements, storedElements } from "../../server/src/formats/stored-elements.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import { convNet, cutOff, model, node, normals, value, weight } from "../support/models.js";
import { relativeError, scored } from "../support/sensitivity.js";

let folder = new ModelFolder();
let path = "";
let recipe: Recipe = defaultRecipe;
let context = quietContext();
const runs = vi.spyOn(Sensitivity.prototype, "gradients");

/** 32 samples with labels; another seed gives other values of the same shape. */
function samples(seed: number): Readonly<Record<string, DataArray>> {
  const shape = [32, 3, 16, 16];
  const values = Float32Array.from(normals(seed, elementCount(shape)));
  return { x: { dtype: "float", shape, values }, labels: counted("int64", [32], (i) => i % 10) };
}

async function writeData(seed: number): Promise<void> {
  writeFileSync(folder.file("data.npz"), await npz(samples(seed)));
}

beforeEach(async () => {
  folder = new ModelFolder();
  path = folder.write("model.onnx", convNet());
  await writeData(1);
  recipe = { ...defaultRecipe, criterion: "snip", data: folder.file("data.npz") };
  context = quietContext(folder.file("cache"));
  runs.mockClear();
});
afterEach(() => {
  folder.dispose();
});
afterAll(() => {
  runs.mockRestore();
});

const analysed = (changes: Partial<Recipe> = {}): Promise<AnalysisResult> =>
  analyze({ uri: path, path, recipe: { ...recipe, ...changes } }, context);

describe("scores in the cache", () => {
  it("serve every sparsity, the slider and saving without another run", async () => {
    const first = await analysed();
    const second = await analysed({ sparsity: 0.5 });
    const exact = await survival({ uri: path, path, recipe: { ...recipe, sparsity: 0.7, scope: "layer" } }, context);
    await save(saveParams(path, { recipe: { ...recipe, sparsity: 0.7 } }), context);
    expect(runs).toHaveBeenCalledTimes(1);
    expect([second.resultId, exact.resultId]).toEqual([first.resultId, first.resultId]);
    const again = await analysed();
    expect(again).toEqual(first);
  });

  it("serve another choice of layers that are left dense", async () => {
    const [one, other] = [await analysed(), await analysed({ exclude: ["fc.weight"] })];
    expect(other.resultId).not.toBe(one.resultId);
    expect(runs).toHaveBeenCalledTimes(1);
    expect(other.report.layers.map(({ score }) => score)).toEqual(one.report.layers.map(({ score }) => score));
  });

  it.each<[string, () => Promise<Partial<Recipe>> | Partial<Recipe>]>([
    [
      "other data in the file",
      async () => {
        await writeData(2);
        // A clock that is too coarse to tell two writes apart is no matter of this test.
        utimesSync(folder.file("data.npz"), 1e9, 1e9);
        return {};
      },
    ],
    [
      "a copy of the data elsewhere",
      () => {
        copyFileSync(folder.file("data.npz"), folder.file("copy.npz"));
        return { data: folder.file("copy.npz") };
      },
    ],
    ["another seed", () => ({ seed: 5 })],
    ["another loss", () => ({ loss: "half-mean-square" })],
    ["a smaller batch", () => ({ batch: 16 })],
    ["other statistics", () => ({ batchNorm: "stored" })],
    ["lengths of axes", () => ({ axes: { batch: 4 } })],
    ["another criterion", () => ({ criterion: "taylor" })],
  ])("are made anew for %s", async (_, change) => {
    const { resultId } = await analysed();
    const changed = await change();
    expect((await analysed(changed)).resultId).not.toBe(resultId);
    expect(runs).toHaveBeenCalledTimes(2);
    await analysed(changed);
    expect(runs).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["gone", (file: string): void => rmSync(file)],
    ["cut off", (file: string): void => writeFileSync(file, "half")],
  ])("are made anew when their numbers are %s", async (_, spoil) => {
    const first = await analysed();
    const numbers = readdirSync(folder.file("cache")).filter((name) => name.endsWith(".numbers"));
    expect(numbers).toHaveLength(1);
    spoil(folder.file(`cache/${numbers[0]!}`));
    expect(await analysed()).toEqual(first);
    expect(runs).toHaveBeenCalledTimes(2);
  });

  it("do not outlive their data: without the file nothing can be said of it", async () => {
    await analysed();
    rmSync(folder.file("data.npz"));
    await expect(analysed()).rejects.toMatchObject({ code: "missing-data" });
  });

  it("are not needed: without a cache the result is the same", async () => {
    const kept = await analysed();
    expect(await analyze({ uri: path, path, recipe }, quietContext())).toEqual(kept);
  });
});

it("identifies magnitudes by nothing that only runs depend on", async () => {
  const { resultId } = await analysed({ criterion: "magnitude" });
  const other: Partial<Recipe> = { batch: 4, loss: "mse", batchNorm: "batch", axes: { batch: 9 }, mean: [0.5] };
  await writeData(2);
  expect((await analysed({ ...other, criterion: "magnitude" })).resultId).toBe(resultId);
  expect((await analysed({ criterion: "magnitude", seed: 3 })).resultId).not.toBe(resultId);
  expect(runs).not.toHaveBeenCalled();
});

it("saves zeros where SNIP's scores are lowest", async () => {
  const sparsity = 0.8;
  const params = saveParams(path, { recipe: { ...recipe, sparsity } });
  await save(params, context);
  const { scores, weights } = await scored(convNet(), { data: samples(1), batch: 32, seed: recipe.seed });
  const entries = Object.entries(scores).flatMap(([id, part]) => Array.from(part, (score, i) => ({ id, i, score })));
  entries.sort((a, b) => b.score - a.score);
  const kept = keptCount(entries.length, sparsity);
  // Weights at the threshold may have equal scores; all others are decided by them.
  const threshold = entries[kept - 1]!.score;
  const saved = reading(params.target, ({ source, search }) =>
    Object.fromEntries(
      search.weights.map((one) => {
        const out = new Float32Array(one.size);
        for (let start = 0; start < one.size; start += blockElements)
          storedElements(source, one).read(start, Math.min(blockElements, one.size - start), out.subarray(start));
        return [one.id, out];
      }),
    ),
  );
  let zeros = 0;
  for (const { id, i, score } of entries) {
    const now = saved[id]![i]!;
    if (now === 0) zeros++;
    if (score !== threshold) expect(now, `${id}[${i}]`).toBe(score > threshold ? weights[id]![i]! : 0);
  }
  expect(zeros).toBe(entries.length - kept);
});

describe("the report", () => {
  it("says the loss and whose statistics, and reduces the scores of each layer", async () => {
    const { report } = await analysed();
    const found = await scored(convNet(), { data: samples(1), batch: 32, seed: recipe.seed });
    expect(report).toMatchObject({ criterion: "snip", batchNorm: "batch", notes: expect.any(Array) as string[] });
    expect(report.loss).toBe(found.loss);
    expect(report.notes).toEqual(expect.arrayContaining([...found.notes]));
    for (const { id, score, unscored } of report.layers) {
      const scores = found.scores[id]!;
      const sum = scores.reduce((a, b) => a + b, 0);
      expect(unscored).toBeNull();
      // Sums of a few hundred float64 numbers in two orders.
      expect(relativeError([score!.sum, score!.mean], [sum, sum / scores.length])).toBeLessThan(1e-12);
      expect(score!.max).toBe(Math.max(...scores));
    }
  });

  it("names the criterion by its id where the recipe has an alias", async () => {
    expect((await analysed({ criterion: "sbp" })).report.criterion).toBe("snip");
  });

  it("leaves layers without a score dense, with the reason", async () => {
    path = folder.write("partly.onnx", cutOff());
    const { report } = await analyze({ uri: path, path, recipe: { ...defaultRecipe, criterion: "snip" } }, context);
    const [cut, last] = report.layers;
    expect(cut).toMatchObject({ id: "cut", score: null, excluded: true, density: 1, criticalSparsity: null });
    expect(cut!.unscored).toMatch(/^its gradient is cut off by node "p" \(LpPool, opset 18\)/);
    expect(last).toMatchObject({ unscored: null, excluded: false, kept: keptCount(32, defaultRecipe.sparsity) });
    expect(report.batchNorm).toBeNull();
  });

  it("is JSON without a number that JSON does not have, when gradients are infinite too", async () => {
    // √0 is finite and its derivative is not.
    const infinite = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("Abs", ["h"], ["a"]), node("Sqrt", ["a"], ["y"])],
        inputs: [value("x", "float", ["batch", 2])],
        outputs: [value("y", "float", ["batch", 2])],
        initializers: [weight("w", [2, 2], 1)],
      },
    });
    path = folder.write("infinite.onnx", infinite);
    const zeros = { x: counted("float", [2, 2], () => 0), targets: counted("float", [2, 2], () => 1) };
    writeFileSync(folder.file("data.npz"), await npz(zeros));
    const { report } = await analysed();
    expect(report.layers[0]!.score!.nonFinite).toBe(4);
    expect(report.notes).toContainEqual(expect.stringContaining("NaN or infinite scores"));
    const numbers: unknown[] = [];
    JSON.stringify(report, (_, one: unknown) => (typeof one === "number" && numbers.push(one), one));
    expect(numbers.filter((one) => !Number.isFinite(one))).toEqual([]);
  });

  it("does not touch the model", async () => {
    const before = readFileSync(path);
    await analysed();
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
