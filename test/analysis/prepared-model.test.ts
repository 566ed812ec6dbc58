/** Models as recipes want them before scoring: one copy for every job, under the person's name, and no more than there is room for. */
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, sep } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultRecipe, type EocInit, type Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { collapse } from "../../server/src/analysis/collapse.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { withPrepared } from "../../server/src/analysis/prepared-model.js";
import { save } from "../../server/src/analysis/save.js";
import { survival } from "../../server/src/analysis/survival.js";
import { onnx } from "../../server/src/formats/onnx/index.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { convNet, externalWeights, mlp } from "../support/models.js";

let folder = new ModelFolder();
let context = quietContext();
const eocInit: EocInit = { sigmaB: 0, scheme: "normal", force: true };
const writes = vi.spyOn(onnx, "write");

beforeEach(() => {
  folder = new ModelFolder();
  context = quietContext(folder.file("cache"));
  writes.mockClear();
});
afterEach(() => {
  folder.dispose();
});

const copies = (): string[] => readdirSync(folder.file("cache/prepared"));

/** Opens the prepared model. @returns the file that was read. */
const opened = (path: string, recipe: Partial<Recipe>, given: JobContext = context): Promise<string> =>
  withPrepared(path, { ...defaultRecipe, ...recipe }, given, (open) => {
    expect(open.path).toBe(path);
    return Promise.resolve(open.source.main);
  });

describe("a recipe that changes nothing", () => {
  it("reads the file itself", async () => {
    const path = folder.write("model.onnx", mlp());
    expect(await opened(path, { rescale: "measured" })).toBe(path);
    expect(existsSync(folder.file("cache"))).toBe(false);
  });
});

describe("a prepared copy", () => {
  it("is made once for analysis, counts, collapse and saving, which agree on the result", async () => {
    const path = folder.write("model.onnx", mlp());
    const recipe: Recipe = { ...defaultRecipe, eocInit, sparsity: 0.5 };
    const analysed = await analyze({ uri: path, path, recipe }, context);
    const exact = await survival({ uri: path, path, recipe: { ...recipe, sparsity: 0.7 } }, context);
    await collapse({ uri: path, path, recipe }, context);
    expect(writes).toHaveBeenCalledTimes(1);
    expect(exact.resultId).toBe(analysed.resultId);
    const saved = await save(saveParams(path, { recipe }), context);
    expect(writes).toHaveBeenCalledTimes(2);
    expect(saved.layers.map(({ kept }) => kept)).toEqual(analysed.report.layers.map(({ kept }) => kept));
    const plain = await analyze({ uri: path, path, recipe: defaultRecipe }, context);
    expect(plain.resultId).not.toBe(analysed.resultId);
  });

  it("is nowhere named: the report and errors speak of the person's file", async () => {
    const path = folder.write("model.onnx", mlp());
    const { report } = await analyze({ uri: path, path, recipe: { ...defaultRecipe, eocInit } }, context);
    expect(report.model.path).toBe(path);
    expect(JSON.stringify(report)).not.toContain("prepared");
    expect(report.notes[0]).toContain("drawn anew on the edge of chaos");
    const named = opened(path, { eocInit, stableResnet: "mul" });
    await expect(named).rejects.toMatchObject({ code: "bad-request", about: { file: path } });
  });

  it("depends on the file, the seed and what is drawn, and on nothing else of the recipe", async () => {
    const path = folder.write("model.onnx", mlp());
    const first = await opened(path, { eocInit });
    expect(await opened(path, { eocInit, sparsity: 0.1, criterion: "random" })).toBe(first);
    const others = [
      await opened(path, { eocInit, seed: 1 }),
      await opened(path, { eocInit: { ...eocInit, scheme: "orthogonal" } }),
    ];
    folder.write("model.onnx", mlp({ seed: 2 }));
    others.push(await opened(path, { eocInit }));
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it("changes in steps: Stable ResNet on what was drawn", async () => {
    const path = folder.write("model.onnx", convNet());
    const names = await withPrepared(path, { eocInit, stableResnet: "mul", seed: 0 }, context, ({ model }, edits) =>
      Promise.resolve([...edits.map(({ edit }) => edit), ...model.graph.nodes.map(({ op }) => op)]),
    );
    expect(names.slice(0, 2)).toEqual(["eoc-init", "stable-resnet"]);
    expect(names.filter((op) => op === "Mul")).toHaveLength(1);
  });

  it("brings its external data along", async () => {
    const path = folder.write("model.onnx", externalWeights());
    const main = await opened(path, { eocInit });
    expect(readdirSync(join(main, ".."), { recursive: true }).sort()).toEqual(
      [basename(main), "more", "more/weights.bin", "weights.bin"].sort(),
    );
  });

  it("leaves nothing behind where nothing is cached", async () => {
    const main = await opened(folder.write("model.onnx", mlp()), { eocInit }, quietContext());
    expect(existsSync(main)).toBe(false);
    expect(readdirSync(tmpdir()).filter((name) => main.split(sep).includes(name))).toEqual([]);
  });
});

describe("copies in the cache", () => {
  it("are kept while there is room, the newest always", async () => {
    const path = folder.write("model.onnx", mlp({ widths: [100, 400, 10] }));
    const bytes = statSync(path).size;
    const roomy: JobContext = { ...context, settings: { ...context.settings, cacheMaxSize: (2.5 * bytes) / 1e6 } };
    for (let seed = 0; seed < 4; seed++) {
      const main = await opened(path, { eocInit, seed }, roomy);
      // Clocks may be too coarse to tell two copies apart.
      const time = new Date(1e12 + 1e4 * seed);
      utimesSync(join(main, "../.."), time, time);
    }
    expect(copies()).toHaveLength(2);
    const none: JobContext = { ...context, settings: { ...context.settings, cacheMaxSize: 0 } };
    const last = await opened(path, { eocInit, seed: 9 }, none);
    expect(copies()).toEqual([basename(join(last, "../.."))]);
  });
});
