/**
 * What changes a model before or after pruning, on TensorFlow.js models: patterns along the inputs of kernels as they are
 * stored, reordered channels, weights drawn anew, factors folded in, masks by the names that a Keras user knows.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { compare } from "../../server/src/analysis/compare.js";
import { exportScores } from "../../server/src/analysis/export.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { withPrepared } from "../../server/src/analysis/prepared-model.js";
import { save } from "../../server/src/analysis/save.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { readNpz } from "../support/read-npz.js";
import { floats, folderHandler, runOriginal, type TensorValues, twin, writeTfjs } from "../support/tfjs/index.js";

let folder: ModelFolder;
let path: string;
let codes: string;
beforeAll(async () => {
  folder = new ModelFolder();
  const { graph } = await twin([8, 8, 4], (w, x) => {
    const first = w.activation(w.batchNorm(w.conv(x, "stem", 8), "stem_norm"), "stem_relu", "relu");
    const branch = w.activation(w.conv(first, "inner", 16), "inner_relu", "relu");
    const sum = w.add(first, w.batchNorm(w.conv(branch, "outer", 8), "outer_norm"), "sum");
    const again = w.activation(w.conv(sum, "second", 12), "second_relu", "relu");
    const joined = w.add(sum, w.conv(again, "third", 8, { kernel: 1 }), "sum2");
    const features = w.globalPool(w.depthwise(joined, "each"), "pool");
    return w.dense(w.activation(w.dense(features, "hidden", 16), "tanh", "tanh"), "logits", 4);
  });
  path = writeTfjs(folder.file("network"), graph!, { shardSize: 3000 });
  codes = writeTfjs(folder.file("codes"), graph!, { shardSize: 3000, quantise: "uint8" });
});
afterAll(() => {
  folder.dispose();
});

interface Stored {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Weights of a folder as TensorFlow.js decodes them. */
async function weightsOf(model: string): Promise<Readonly<Record<string, Stored>>> {
  const { weightData, weightSpecs } = await folderHandler(model).load!();
  const decoded = tf.io.decodeWeights(tf.io.CompositeArrayBuffer.join(weightData), weightSpecs!);
  const stored = Object.entries(decoded).map(([name, tensor]) => {
    const one = { shape: tensor.shape, values: Float32Array.from(tensor.dataSync<"float32">()) };
    return [name, one] as const;
  });
  tf.dispose(decoded);
  return Object.fromEntries(stored);
}

async function saved(model: string, name: string, recipe: Partial<Recipe>): Promise<string> {
  const target = folder.file(`${name}/model.json`);
  await save(saveParams(model, { target, recipe: { sparsity: 0, ...recipe } }), quietContext());
  return target;
}

const outputOf = async (model: string): Promise<ArrayLike<number>> => {
  const inputs: TensorValues = { x: floats([2, 8, 8, 4], 7) };
  return Object.values(await runOriginal(model, inputs, "cpu"))[0]!.data;
};

/** max|Δ| / max|y|. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(a, Math.abs));
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!))) / largest;
}

/** Kernels and the axis of their inputs: [height, width, in, out], [in, out]. */
const reduced = {
  "stem/kernel": 2,
  "inner/kernel": 2,
  "outer/kernel": 2,
  "second/kernel": 2,
  "third/kernel": 2,
  "hidden/kernel": 0,
  "logits/kernel": 0,
} as const;

describe.each(["float32", "uint8"])("2:4 of a model in %s", (type) => {
  test("keeps the two largest of every four inputs of a kernel, and leaves a depthwise one alone", async () => {
    const model = type === "uint8" ? codes : path;
    const target = await saved(model, `pattern-${type}`, { pattern: { n: 2, m: 4 } });
    const [before, after] = [await weightsOf(model), await weightsOf(target)];
    for (const [name, axis] of Object.entries(reduced)) {
      const { shape, values } = before[name]!;
      const step = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
      for (let i = 0; i < values.length; i++) {
        if ((Math.floor(i / step) % shape[axis]!) % 4 !== 0) continue;
        const group = [0, 1, 2, 3].map((j) => i + j * step);
        const sorted = group.map((at) => Math.abs(values[at]!)).sort((a, b) => b - a);
        const kept = group.filter((at) => after[name]!.values[at] !== 0);
        for (const at of kept) {
          expect(after[name]!.values[at]).toBe(values[at]);
          expect(Math.abs(values[at]!)).toBeGreaterThanOrEqual(sorted[1]!);
        }
        // A code may be 0 of itself.
        expect(kept.length).toBe(Math.min(2, sorted.filter((value) => value > 0).length));
      }
    }
    for (const [name, { values }] of Object.entries(before))
      if (!(name in reduced)) expect(after[name]!.values).toEqual(values);
  });

  test("in reordered channels, the dense model predicts in TensorFlow.js what it did", async () => {
    const model = type === "uint8" ? codes : path;
    const recipe = { ...defaultRecipe, sparsity: 0, pattern: { n: 2, m: 4 }, permute: { seconds: 0.05 } };
    await withPrepared(model, recipe, quietContext(), async ({ source }, [report]) => {
      const reordered = source.main;
      expect(reordered).not.toBe(model);
      expect(report!.changes.map(({ name }) => name)).toContain("hidden/kernel");
      const [before, after] = [await weightsOf(model), await weightsOf(reordered)];
      expect(after["hidden/kernel"]!.values).not.toEqual(before["hidden/kernel"]!.values);
      expect(Float32Array.from(after["hidden/kernel"]!.values).sort()).toEqual(
        Float32Array.from(before["hidden/kernel"]!.values).sort(),
      );
      // Sums of a hundred float32 products in another order.
      expect(difference(await outputOf(model), await outputOf(reordered))).toBeLessThan(1e-5);
    });
  });
});

test("orthogonal kernels on the edge of chaos are so over the inputs and places that they are stored with", async () => {
  const eocInit = { sigmaB: 0, scheme: "orthogonal", force: true } as const;
  const target = await saved(path, "orthogonal", { eocInit });
  const weights = await weightsOf(target);
  // With as many inputs as outputs or more, the vectors of the outputs are orthogonal.
  for (const name of ["stem/kernel", "outer/kernel", "logits/kernel"]) {
    const { shape, values } = weights[name]!;
    const outputs = shape.at(-1)!;
    const inputs = values.length / outputs;
    const product = (a: number, b: number): number => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += values[i * outputs + a]! * values[i * outputs + b]!;
      return sum;
    };
    for (let a = 0; a < outputs; a++)
      for (let b = 0; b < a; b++) expect(Math.abs(product(a, b)) / product(a, a)).toBeLessThan(1e-5);
  }
  expect([...weights["stem_norm/gamma"]!.values]).toEqual(Array(8).fill(1));
  expect([...weights["stem_norm/moving_variance"]!.values]).toEqual(Array(8).fill(1));
  expect([...weights["stem/bias"]!.values]).toEqual(Array(8).fill(0));
});

describe("Stable ResNet", () => {
  test("is folded into the last numbers of each branch, and its nodes have no place in the file", async () => {
    const target = await saved(path, "folded", { stableResnet: "fold" });
    const [before, after] = [await weightsOf(path), await weightsOf(target)];
    const scaled = ["outer_norm/gamma", "outer_norm/beta", "third/kernel", "third/bias"];
    for (const [name, { values }] of Object.entries(before)) {
      const factor = scaled.includes(name) ? Math.SQRT1_2 : 1;
      expect(
        difference(
          values.map((value) => value * factor),
          after[name]!.values,
        ),
      ).toBeLessThan(1e-7);
    }
    await expect(saved(path, "nodes", { stableResnet: "mul" })).rejects.toMatchObject({ code: "unsupported-op" });
  });

  test("cannot be folded into codes, nor can codes be drawn anew", async () => {
    await expect(saved(codes, "folded codes", { stableResnet: "fold" })).rejects.toMatchObject({
      code: "bad-request",
      message: expect.stringContaining("is quantised") as string,
    });
    const eocInit = { sigmaB: 0, scheme: "normal", force: true } as const;
    await expect(saved(codes, "drawn codes", { eocInit })).rejects.toMatchObject({
      code: "bad-request",
      message: expect.stringContaining("codes of a quantisation") as string,
    });
  });
});

test("a mask goes out under the names of weights, in their stored shapes, and comes back in", async () => {
  const file = folder.file("mask.npz");
  const recipe = { ...defaultRecipe, criterion: "synflow", sparsity: 0.7 };
  await exportScores({ uri: path, path, recipe, target: file, what: "mask" }, quietContext());
  const arrays = await readNpz(file);
  const target = await saved(path, "masked", { mask: file });
  const [before, after] = [await weightsOf(path), await weightsOf(target)];
  expect(Object.keys(arrays)).toEqual(
    await withModel(path, ({ search }) => Promise.resolve(search.weights.map(({ name }) => name))),
  );
  for (const [name, { shape, payload }] of Object.entries(arrays)) {
    expect(shape).toEqual(before[name]!.shape);
    expect(after[name]!.values).toEqual(before[name]!.values.map((value, i) => (payload[i] === 0 ? 0 : value)));
  }
});

test("compared, original and pruned model differ as TensorFlow.js says", async () => {
  const target = await saved(codes, "compared", { sparsity: 0.6 });
  const report = await compare(
    { uri: codes, path: codes, pruned: target, recipe: defaultRecipe, latencySeconds: 0 },
    quietContext(),
  );
  expect(report.notes.join()).not.toContain("not run");
  const zeros = report.layers.reduce((sum, { zeros: { pruned } }) => sum + pruned!, 0);
  const all = report.layers.reduce((sum, { parameters }) => sum + parameters, 0);
  expect(zeros / all).toBeGreaterThanOrEqual(0.6);
  expect(report.layers.every(({ unchanged }) => unchanged === 1)).toBe(true);
  expect(report.outputs[0]!.maxDifference).toBeGreaterThan(0);
  expect(difference(await outputOf(codes), await outputOf(target))).toBeGreaterThan(0);
});
