/** Recipes that are repeated: from the metadata of saved models and from JSON, under options that win; and hostile ones. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { save } from "../../server/src/analysis/save.js";
import { recipeIn } from "../../server/src/cli/recipe-file.js";
import { addRecipeOptions, addRescaleOption, recipeOf } from "../../server/src/cli/recipe-options.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { model, node, type TestModel } from "../support/model-builder.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { convNet } from "../support/model-networks.js";
import { value } from "../support/model-tensors.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});
const conv = folder.write("conv.onnx", convNet());
const data = folder.file("data.npz");
writeFileSync(
  data,
  await npz({ x: counted("float", [4, 3, 16, 16], (i) => Math.sin(i)), labels: counted("int64", [4]) }),
);

/** The recipe of a command line. */
async function parsed(...args: readonly string[]): Promise<Recipe> {
  const command = addRescaleOption(addRecipeOptions(new Command())).exitOverride();
  let recipe: Recipe | null = null;
  command.action((options: unknown) => {
    recipe = recipeOf(options);
  });
  await command.parseAsync(args, { from: "user" });
  return recipe!;
}

let files = 0;
function json(content: unknown): string {
  return folder.write(`${++files}.json`, typeof content === "string" ? content : JSON.stringify(content));
}

/** A model that was saved by a recipe. */
async function saved(recipe: Partial<Recipe>, path = conv): Promise<string> {
  const target = folder.file(`saved-${++files}.onnx`);
  await save(saveParams(path, { target, recipe }), quietContext());
  return target;
}

/** A model whose metadata has this for a recipe. */
const tagged = (recipe: string): TestModel =>
  model({
    graph: {
      nodes: [node("Relu", ["x"], ["y"])],
      inputs: [value("x", "float", [1])],
      outputs: [value("y", "float", [1])],
    },
    metadata: { "prunescope.recipe": recipe },
  });

/** A file with the metadata that a save appends left out. */
const withoutMetadata = (file: string): Buffer => readFileSync(file).subarray(0, readFileSync(conv).length);

describe("a saved model", () => {
  it.each<[string, Partial<Recipe>]>([
    ["a quota", { quota: "erk", sparsity: 0.8 }],
    ["rounds on data", { criterion: "snip", rounds: 2, data, batch: 4, batchNorm: "stored", sparsity: 0.8 }],
    ["floors and exclusions", { floors: { "fc.weight": 0.6 }, exclude: ["conv1.weight"], scope: "layer" }],
    ["a pattern", { pattern: { n: 2, m: 4 }, sparsity: 0 }],
    [
      "drawn weights and rescaling",
      { eocInit: { sigmaB: 0, scheme: "normal", force: false }, rescale: "paper", seed: 7 },
    ],
  ])("is repeated byte for byte: %s", async (_, recipe) => {
    const first = await saved(recipe);
    const again = await parsed("--recipe", first);
    expect(again).toEqual({ ...defaultRecipe, sparsity: 0.5, ...recipe });
    expect(withoutMetadata(await saved(again)).equals(withoutMetadata(first))).toBe(true);
  });

  it("that was saved twice has the recipe of the last time", async () => {
    const first = await saved({ sparsity: 0.5 });
    const second = await saved({ sparsity: 0.75, criterion: "random" }, first);
    expect(recipeIn(second)).toEqual({ ...defaultRecipe, sparsity: 0.75, criterion: "random" });
  });

  it("without a recipe is refused", () => {
    expect(() => recipeIn(conv)).toThrow(`${conv} holds no recipe: PruneScope did not save it`);
  });
});

describe("options", () => {
  const base = {
    criterion: "snip",
    sparsity: 0.7,
    scope: "layer",
    seed: 3,
    exclude: ["a"],
    floors: { b: 0.5 },
    axes: { batch: 2 },
    eocInit: { sigmaB: 0.3, scheme: "orthogonal", force: true },
  } as const;

  it("that are not given leave the file's recipe as it is, their defaults too", async () => {
    expect(await parsed("--recipe", json(base))).toEqual({ ...defaultRecipe, ...base });
  });

  it("that are given win, one by one, a value that is the default too", async () => {
    const file = json(base);
    expect(await parsed("--recipe", file, "--sparsity", "0.9")).toEqual({ ...defaultRecipe, ...base, sparsity: 0.9 });
    expect(
      await parsed("--recipe", file, "--scope", "global", "--floor", "c=0.1", "--axis", "n=4", "--exclude", "d"),
    ).toEqual({
      ...defaultRecipe,
      ...base,
      scope: "global",
      floors: { c: 0.1 },
      axes: { n: 4 },
      exclude: ["d"],
    });
    expect((await parsed("--recipe", file, "--scheme", "normal")).eocInit).toEqual({
      ...base.eocInit,
      scheme: "normal",
    });
    expect((await parsed("--recipe", file, "--eoc-init", "0.1")).eocInit).toEqual({ ...base.eocInit, sigmaB: 0.1 });
  });

  it("make a file of scores a criterion, and take it back", async () => {
    const scores = folder.file("data.npz");
    expect(await parsed("--scores", scores)).toEqual({ ...defaultRecipe, criterion: "imported", scores });
    const file = json({ ...base, criterion: "imported", scores: "data.npz" });
    expect(await parsed("--recipe", file)).toMatchObject({ criterion: "imported", scores });
    expect(await parsed("--recipe", file, "--criterion", "magnitude")).not.toHaveProperty("scores");
    await expect(parsed("--scores", scores, "--criterion", "snip")).rejects.toThrow(/leave out --criterion snip/);
  });
});

describe("a file", () => {
  it("of an older recipe, with fewer fields, is valid", () => {
    expect(recipeIn(json({ criterion: "magnitude", sparsity: 0.5 }))).toEqual({ ...defaultRecipe, sparsity: 0.5 });
  });

  it("has paths that are relative to its own folder", () => {
    expect(recipeIn(json({ data: "data.npz", mask: "sub/m.npz" }))).toMatchObject({
      data,
      mask: folder.file("sub/m.npz"),
    });
  });

  it.each([
    ["data", "--data"],
    ["mask", "--mask"],
    ["scores", "--scores"],
  ])("that names %s which is gone is refused, unless another is named", async (field, option) => {
    const file = json({ [field]: "gone.npz", ...(field === "scores" ? { criterion: "imported" } : {}) });
    await expect(parsed("--recipe", file)).rejects.toMatchObject({
      code: "missing-data",
      message: `The recipe in ${file} names ${folder.file("gone.npz")} as its ${field}, which does not exist. Name another with ${option}.`,
    });
    expect(await parsed("--recipe", file, option, data)).toMatchObject({ [field]: data });
  });

  it.each<[string, () => string, string, RegExp]>([
    ["no JSON", () => json("{"), "bad-request", /it is no JSON/],
    ["a list", () => json([]), "bad-request", /must be an object/],
    [
      "a field that nobody knows",
      () => json({ sparseness: 1 }),
      "bad-request",
      /recipe\.sparseness must be a known field/,
    ],
    [
      "a sparsity that cannot be",
      () => json({ sparsity: 2 }),
      "bad-request",
      /recipe\.sparsity must be a number in \[0, 1\)/,
    ],
    [
      "a prototype",
      () => json('{"__proto__": {"sparsity": 2}}'),
      "bad-request",
      /recipe\.__proto__ must be a known field/,
    ],
    ["more than a recipe has", () => json(" ".repeat((1 << 20) + 1)), "bad-request", /too long for a recipe/],
    ["nothing: it is not there", () => folder.file("absent.json"), "missing-data", /does not exist/],
    [
      "other files: it is a folder",
      () => (mkdirSync(folder.file("f.json")), folder.file("f.json")),
      "malformed-model",
      /not a regular file/,
    ],
    ["another kind", () => folder.write("recipe.txt", "{}"), "unsupported-format", /recipe\.txt/],
    [
      "no JSON in its metadata",
      () => folder.write("hostile.onnx", tagged("sparsity 0.9")),
      "bad-request",
      /hostile\.onnx cannot be used: it is no JSON\./,
    ],
  ])("that holds %s", (_, file, code, message) => {
    const path = file();
    expect(() => recipeIn(path)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });
});

describe("the command line", () => {
  const cli = join(import.meta.dirname, "..", "..", "dist", "cli.js");
  const run = (...args: readonly string[]): { readonly status: number | null; readonly stderr: string } =>
    spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder.path });

  it("names the file and the layer that the model has not", () => {
    const file = json({ exclude: ["nobody"] });
    const { status, stderr } = run("analyze", conv, "--recipe", file);
    expect(status).toBe(2);
    expect(stderr).toContain(`The recipe in ${file} cannot be used here: The model has no prunable layer "nobody".`);
  });

  it("writes mask and scores beside the model, and repeats all of it by the mask alone", () => {
    const args = ["--criterion", "random", "--sparsity", "0.8", "--no-verify"];
    const first = run("prune", conv, "-o", "first.onnx", ...args, "--mask-out", "m.npz", "--scores-out", "s.npz");
    expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: "" });
    for (const options of [
      ["--mask", "m.npz", "--sparsity", "0"],
      ["--scores", "s.npz", "--sparsity", "0.8"],
      ["--recipe", "first.onnx"],
    ]) {
      expect(run("prune", conv, "-o", "again.onnx", "--no-verify", ...options)).toMatchObject({ status: 0 });
      expect(withoutMetadata(folder.file("again.onnx")).equals(withoutMetadata(folder.file("first.onnx")))).toBe(true);
    }
  });

  it("takes no name that is not one of a .npz", () => {
    const { status, stderr } = run("analyze", conv, "--mask-out", "conv.onnx");
    expect(status).toBe(2);
    expect(stderr).toContain("It must end in .npz.");
  });
});
