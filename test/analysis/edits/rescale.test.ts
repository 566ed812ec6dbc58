/** Rescaling what pruning leaves: the paper's formula, what is measured instead, and when the formula is refused. */
import { existsSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultRecipe, type Recipe } from "../../../server/protocol/recipe.js";
import type { SaveReport } from "../../../server/protocol/report.js";
import { meanBackwardGain } from "../../../server/src/analysis/edits/rescale-report.js";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { save } from "../../../server/src/analysis/save.js";
import { sensitivityInput } from "../../../server/src/analysis/scores.js";
import { measurePropagation } from "../../../server/src/autodiff/propagation.js";
import { blockElements, storedConstant, storedElements } from "../../../server/src/formats/stored-elements.js";
import { layerSites } from "../../../server/src/meanfield/sites/index.js";
import { counted, npz } from "../../support/arrays-on-disk.js";
import { quietContext } from "../../support/job-context.js";
import { normals } from "../../support/model-elements.js";
import { ModelFolder, saveParams } from "../../support/model-folder.js";
import { ffnn, type FfnnOptions } from "../../support/networks/ffnn.js";

const folder = new ModelFolder();
const samples = 32;
const context = quietContext(folder.file("cache"));

/** Inputs of this mean square, and labels. @returns the file. */
async function data(meanSquare: number, width: number): Promise<string> {
  const x = Float32Array.from(normals(5, samples * width), (value) => value * Math.sqrt(meanSquare));
  const path = folder.file(`data-${meanSquare}.npz`);
  const labels = counted("int64", [samples], (i) => i % 10);
  writeFileSync(path, await npz({ x: { dtype: "float", shape: [samples, width], values: x }, labels }));
  return path;
}

function network(name: string, options: FfnnOptions): string {
  return folder.write(name, ffnn({ depth: 40, batch: samples, ...options }).bytes);
}

/** The pruned file on the recipe's data. */
interface Found {
  /** Geometric mean over layers that an activation follows. */
  readonly backwardGain: number | null;
  /** q of every layer but the last, which has no activation, over the outputs that have weights left. */
  readonly variances: readonly number[];
  /** fan_in · mean w² of every layer. */
  readonly gains: readonly number[];
}

const measured = (path: string, recipe: Recipe): Promise<Found> =>
  withModel(path, async (open) => {
    const propagation = await measurePropagation(await sensitivityInput(open, recipe, true, context));
    const sites = await layerSites(open.model, open.search.weights, 1);
    const rows = sites.map(({ weight, bias }) => {
      // Gemm with transB: a row for each output.
      const [outputs, inputs] = weight.shape as [number, number];
      const w = new Float32Array(weight.size);
      for (let at = 0; at < w.length; at += blockElements) {
        const count = Math.min(blockElements, w.length - at);
        storedElements(open.source, weight).read(at, count, w.subarray(at, at + count));
      }
      const b = new Float32Array(outputs);
      if (bias !== null) storedConstant(open.source, bias)!.read(0, outputs, b);
      const dead = Array.from({ length: outputs }, (_, o) =>
        w.subarray(o * inputs, (o + 1) * inputs).every((v) => v === 0),
      );
      return { outputs, inputs, b, dead, squares: w.reduce((sum, v) => sum + v * v, 0) };
    });
    const variances = rows.slice(0, -1).map(({ outputs, dead, b }, l) => {
      const silent = dead.reduce((sum, gone, o) => sum + (gone ? b[o]! ** 2 : 0), 0);
      return (propagation.layers[l]!.q! * outputs - silent) / dead.filter((gone) => !gone).length;
    });
    const backwardGain = meanBackwardGain(
      sites.map((site) => ({ site })),
      propagation,
    );
    return { backwardGain, variances, gains: rows.map(({ squares, outputs }) => squares / outputs) };
  });

const saved = (path: string, recipe: Partial<Recipe>): Promise<SaveReport> =>
  save(saveParams(path, { recipe: { sparsity: 0.9, ...recipe } }), context);

const farthestFrom = (values: readonly number[], q: number): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value / q - 1)), 0);

afterAll(() => {
  folder.dispose();
});

describe("a tanh network of depth 40 on the edge of chaos, pruned to 10 %", () => {
  /** `prunescope eoc --activation tanh --sigma-b 0.2`. */
  const edge = { sigmaW: 1.304146, sigmaB: 0.2, q: 0.512079 };
  let path = "";
  let recipe: Recipe = defaultRecipe;

  beforeAll(async () => {
    path = network("tanh.onnx", { activation: "Tanh", sigmaW: edge.sigmaW, sigmaB: edge.sigmaB, width: 300 });
    recipe = { ...defaultRecipe, criterion: "snip", data: await data(0.2776, 300) };
  });

  it("has the variance of the edge and a backward gain of 1 after measured rescaling of SNIP's mask", async () => {
    const { path: pruned, edits } = await saved(path, { ...recipe, rescale: "measured" });
    const { backwardGain, variances } = await measured(pruned, recipe);
    expect(edits.map(({ edit }) => edit)).toEqual(["rescale"]);
    expect(edits[0]!.changes).toHaveLength(40);
    // Scaled is what comes before the bias. 300 biases of σ_b = 0.2 correlate with 300 sums of variance 0.47 by chance, which
    // leaves a deviation of 2·0.2·√0.47/√300 = 3 % of q* in each layer.
    expect(farthestFrom(variances, edge.q)).toBeLessThan(0.1);
    expect(Math.abs(backwardGain! - 1)).toBeLessThan(0.03);
    expect(edits[0]!.measured.join(" ")).toMatch(/Nominal χ.*Variance.*Forward gain.*Backward gain/);
  });

  it("keeps the variance of the edge by the formula where the mask is random", async () => {
    const random: Recipe = { ...recipe, criterion: "random" };
    const [dense, { path: pruned }] = [
      await measured(path, recipe),
      await saved(path, { ...random, rescale: "paper" }),
    ];
    const { backwardGain, variances, gains } = await measured(pruned, recipe);
    expect(farthestFrom(variances, edge.q)).toBeLessThan(0.3);
    expect(Math.abs(backwardGain! - 1)).toBeLessThan(0.03);
    // fan_in·mean((ρWδ)²) = σ_w² of the dense layer, but for the rounding of the weights to float32.
    gains.forEach((gain, l) => {
      expect(Math.abs(gain / dense.gains[l]! - 1)).toBeLessThan(1e-6);
    });
  });
});

describe("a ReLU network of depth 40 on the edge of chaos, pruned to 10 % by SNIP", () => {
  let path = "";
  let recipe: Recipe = defaultRecipe;

  beforeAll(async () => {
    path = network("relu.onnx", { activation: "Relu", sigmaW: Math.SQRT2, width: 100 });
    recipe = { ...defaultRecipe, criterion: "snip", data: await data(1, 100) };
  });

  it("is not rescaled by the formula, and the error says why and what to do", async () => {
    const attempt = saved(path, { ...recipe, rescale: "paper" });
    await expect(attempt).rejects.toMatchObject({ code: "bad-request", about: { file: path } });
    await expect(attempt).rejects.toThrow(/masks that do not depend on the activations.*--rescale measured/);
    expect(existsSync(saveParams(path).target)).toBe(false);
  });

  it("has the variances of the dense network after measured rescaling", async () => {
    const dense = await measured(path, recipe);
    const { path: pruned } = await saved(path, { ...recipe, rescale: "measured" });
    const { variances } = await measured(pruned, recipe);
    // Without biases nothing but float32 lies between the two: about 6e-8 a layer, and 40 layers.
    variances.forEach((q, l) => {
      expect(Math.abs(q / dense.variances[l]! - 1)).toBeLessThan(1e-4);
    });
  });
});
