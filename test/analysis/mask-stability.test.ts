/** Overlap of masks: against sets counted one by one, what varies between runs, and when there is nothing to compare. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Stability } from "../../server/protocol/insights.js";
import { defaultRecipe, keptCount, type Recipe } from "../../server/protocol/recipe.js";
import { stabilityOf } from "../../server/src/analysis/mask-stability.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import type { DataArray } from "../../server/src/data/array.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { mlp, normals } from "../support/models.js";
import { scored } from "../support/sensitivity.js";

const widths = [16, 24, 24, 10];
const weights = 16 * 24 + 24 * 24 + 24 * 10;
let folder: ModelFolder;
let path: string;
beforeAll(() => {
  folder = new ModelFolder();
  path = folder.write("model.onnx", mlp({ widths }));
});
afterAll(() => {
  folder.dispose();
});

async function written(name: string, arrays: Readonly<Record<string, DataArray>>): Promise<string> {
  writeFileSync(folder.file(name), await npz(arrays));
  return folder.file(name);
}

/** `count` samples, all different or all the same. */
const samples = (count: number, same = false): Record<string, DataArray> => {
  const numbers = normals(4, count * 16);
  return {
    x: counted("float", [count, 16], (i) => numbers[same ? i % 16 : i]!),
    labels: counted("int64", [count], (i) => (same ? 3 : i % 10)),
  };
};

const stability = (recipe: Partial<Recipe>, runs: number): Promise<Stability> =>
  withModel(path, (open) =>
    stabilityOf(open, { ...defaultRecipe, criterion: "snip", batch: 8, ...recipe }, runs, quietContext()),
  );

it("is what sets of kept weights have in common", async () => {
  const found = await stability({ sparsity: 0.8, seed: 1 }, 3);
  const keep = keptCount(weights, 0.8);
  const kept = await Promise.all(
    [1, 2, 3].map(async (seed) => {
      const { scores } = await scored(mlp({ widths }), { batch: 8, seed });
      const all = Object.entries(scores).flatMap(([id, part]) =>
        Array.from(part, (score, i) => ({ key: `${id} ${i}`, score })),
      );
      all.sort((a, b) => b.score - a.score);
      // At a tie the order would decide.
      expect(all[keep - 1]!.score).toBeGreaterThan(all[keep]!.score);
      return new Set(all.slice(0, keep).map(({ key }) => key));
    }),
  );
  const shares = [
    [0, 1],
    [0, 2],
    [1, 2],
  ].map(([a, b]) => [...kept[a!]!].filter((key) => kept[b!]!.has(key)).length / keep);
  expect(found).toMatchObject({ sparsity: 0.8, runs: 3, varied: "seeds" });
  expect([found.least, found.most]).toEqual([Math.min(...shares), Math.max(...shares)]);
  expect(found.mean).toBeCloseTo((shares[0]! + shares[1]! + shares[2]!) / 3, 12);
  expect(found.words).toContain("10 samples a class");
});

describe("of data", () => {
  it("compares batches that share no sample, as many as there are", async () => {
    const data = await written("many.npz", samples(40));
    const found = await stability({ data }, 10);
    expect(found).toMatchObject({ runs: 5, varied: "batches" });
    expect(found.words).toContain("40 samples, enough for 5 batches of 8");
    expect(found.most).toBeLessThan(1);
    // Unrelated masks would share the density.
    expect(found.least).toBeGreaterThan(0.1);
  });

  it("is 1 where batches are equal: ties are broken alike", async () => {
    const data = await written("same.npz", samples(16, true));
    const found = await stability({ data, sparsity: 0.3 }, 2);
    expect(found).toMatchObject({ mean: 1, least: 1, most: 1, varied: "batches" });
    expect(found.words).toContain("Nothing that varies changes the mask.");
  });

  it("draws other labels where it has none, and too few samples for two batches", async () => {
    const { x } = samples(8);
    const found = await stability({ data: await written("few.npz", { x: x! }) }, 2);
    expect(found).toMatchObject({ runs: 2, varied: "seeds" });
    expect(found.words).toContain("the same samples");
    expect(found.least).toBeLessThan(1);
  });

  it("with labels and too few samples for two batches is refused", async () => {
    const data = await written("labelled.npz", samples(12));
    await expect(stability({ data }, 2)).rejects.toMatchObject({
      code: "missing-data",
      message:
        "The data has 12 samples, and two batches of 8 that share none need 16: give more data, or a smaller batch.",
    });
  });
});

it("is refused for criteria that look at no data", async () => {
  for (const criterion of ["magnitude", "synflow", "random"])
    await expect(stability({ criterion }, 2)).rejects.toMatchObject({ code: "bad-request" });
});
