/**
 * Recipes applied to TensorFlow.js models, counted by a reader of the test's own in the saved shards: what the mask takes
 * is 0, or the code nearest to it, and nothing else has changed; what was saved predicts what its lowered graph does.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Recipe } from "../../server/protocol/recipe.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { save } from "../../server/src/analysis/save.js";
import { recipeIn } from "../../server/src/cli/recipe-file.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import {
  floats,
  type FolderOptions,
  largestDifference,
  layersModel,
  readWeights,
  runLowered,
  runOriginal,
  type TfjsModel,
  writeTfjs,
} from "../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

let cnn: TfjsModel;
beforeAll(async () => {
  cnn = await layersModel(() =>
    sequential({
      layers: [
        layers.conv2d({ inputShape: [6, 6, 4], filters: 8, kernelSize: 3, activation: "relu", name: "conv" }),
        layers.flatten({ name: "flat" }),
        layers.dense({ units: 6, name: "dense" }),
      ],
    }),
  );
});

let copies = 0;
const written = (options: FolderOptions = {}): { readonly path: string; readonly target: string } => {
  const place = folder.file(`case${copies++}`);
  const path = writeTfjs(join(place, "in"), cnn, { shardSize: 1001, groups: 2, ...options });
  return { path, target: join(place, "out", "model.json") };
};

const pruned = (path: string, target: string, recipe: Partial<Recipe>) =>
  save(saveParams(path, { target, recipe: { criterion: "magnitude", sparsity: 0, ...recipe } }), quietContext());

/** Whether each element of the layers has become another code, and whether it now is the layer's code for 0. */
function changesOf(
  path: string,
  target: string,
  id: string,
): { readonly changed: boolean[]; readonly zero: boolean[] } {
  const [before, after] = [readWeights(path).get(id)!, readWeights(target).get(id)!];
  const nearest = after.values.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
  return {
    changed: Array.from(before.codes, (code, i) => code !== after.codes[i]),
    zero: Array.from(after.values, (value) => Math.abs(value) === nearest),
  };
}

/** No code for 0: all numbers are above 0.3 times the largest, as after a shift. */
const shifted = (model: TfjsModel): TfjsModel => ({
  ...model,
  weights: model.weights.map((one) =>
    one.name === "dense/kernel"
      ? { ...one, values: Float32Array.from(one.values as ArrayLike<number>, (value) => 0.5 + Math.abs(value)) }
      : one,
  ),
});

describe.each<[string, FolderOptions]>([
  ["float32", {}],
  ["uint8", { quantise: "uint8" }],
  ["uint16", { quantise: "uint16" }],
  ["float16", { quantise: "float16" }],
])("%s", (_name, options) => {
  test("what is smallest goes, and is 0 in the file; everything else keeps its bytes", async () => {
    const { path, target } = written(options);
    const report = await pruned(path, target, { sparsity: 0.6 });
    const before = readWeights(path);
    for (const { id, kept, parameters, zeros } of report.layers) {
      const { changed, zero } = changesOf(path, target, id);
      expect(zero.filter(Boolean).length, id).toBe(zeros);
      expect(zeros).toBeGreaterThanOrEqual(parameters - kept);
      const { values } = before.get(id)!;
      const went = Array.from(values, Math.abs).filter((_, i) => changed[i]);
      const stayed = Array.from(values, Math.abs).filter((_, i) => !changed[i] && !zero[i]);
      expect(Math.max(...went)).toBeLessThanOrEqual(Math.min(...stayed));
      expect(changed.every((one, i) => !one || zero[i])).toBe(true);
    }
    for (const [name, weight] of readWeights(target))
      if (!report.layers.some(({ id }) => id === name)) expect(weight.bytes.equals(before.get(name)!.bytes)).toBe(true);
    // Both quantisations have a code for 0, as converters make sure where 0 lies in the range.
    expect(report.notes).toEqual([]);
    const name = await withModel(path, ({ model }) => Promise.resolve(model.graph.inputs[0]!.name));
    const inputs = { [name]: floats([2, 6, 6, 4]) };
    // Sums of some hundred products of float32, in another order.
    expect(largestDifference(await runOriginal(target, inputs, "cpu"), await runLowered(target, inputs))).toBeLessThan(
      1e-5,
    );
  });

  test("2:4 holds along the inputs of kernels [h, w, in, out] and [in, out]", async () => {
    const { path, target } = written(options);
    const report = await pruned(path, target, { pattern: { n: 2, m: 4 } });
    for (const { id, pattern } of report.layers) {
      const { zero } = changesOf(path, target, id);
      const { shape } = readWeights(target).get(id)!;
      const outputs = shape.at(-1)!;
      const inputs = shape.at(-2)!;
      let groups = 0;
      for (let first = 0; first < zero.length; first += outputs * inputs)
        for (let group = 0; group < inputs; group += 4)
          for (let out = 0; out < outputs; out++, groups++) {
            const four = [0, 1, 2, 3].map((i) => zero[first + (group + i) * outputs + out]);
            expect(four.filter(Boolean).length).toBeGreaterThanOrEqual(2);
          }
      expect([pattern?.groups, pattern?.held]).toEqual([groups, groups]);
    }
  });
});

test("a layer without a code for 0 is said, with the number that stands for it", async () => {
  const place = folder.file(`case${copies++}`);
  const path = writeTfjs(join(place, "in"), shifted(cnn), { quantise: "uint8" });
  const target = join(place, "out", "model.json");
  const report = await pruned(path, target, { sparsity: 0.5, scope: "layer" });
  const least = readWeights(path)
    .get("dense/kernel")!
    .values.reduce((a, b) => Math.min(a, b));
  expect(least).toBeGreaterThan(0.4);
  expect(report.notes).toEqual([
    `1 layer is quantised without a code for 0: what is pruned there became the nearest number (at most ${least.toPrecision(2)} from 0) and is counted as zero.`,
  ]);
  const { zero } = changesOf(path, target, "dense/kernel");
  expect(zero.filter(Boolean).length).toBe(report.layers[1]!.zeros);
});

test("the recipe in a saved model gives the same bytes again; without metadata model.json has not changed", async () => {
  const { path, target } = written({ quantise: "uint8" });
  await pruned(path, target, { criterion: "random", sparsity: 0.7, seed: 5 });
  const again = join(dirname(dirname(target)), "again", "model.json");
  const plain = join(dirname(dirname(target)), "plain", "model.json");
  const recipe = recipeIn(target);
  expect(recipe).toMatchObject({ criterion: "random", sparsity: 0.7, seed: 5 });
  await save(saveParams(path, { target: again, recipe }), quietContext());
  await save(saveParams(path, { target: plain, recipe, metadata: false }), quietContext());
  for (const name of readdirSync(dirname(target))) {
    expect(readFileSync(join(dirname(again), name)).equals(readFileSync(join(dirname(target), name))), name).toBe(true);
    const like = name === "model.json" ? path : join(dirname(target), name);
    expect(readFileSync(join(dirname(plain), name)).equals(readFileSync(like)), name).toBe(true);
  }
  expect(() => recipeIn(plain)).toThrow(/holds no recipe/);
});

test("codes cannot be rescaled: they stay, with the reason", async () => {
  const { path, target } = written({ quantise: "uint8" });
  const report = await pruned(path, target, { sparsity: 0.5, rescale: "measured" });
  const [edit] = report.edits;
  expect(edit!.changes.length).toBe(2);
  for (const { words } of edit!.changes) expect(words).toMatch(/codes of a quantisation/);
  expect(existsSync(target)).toBe(true);
});
