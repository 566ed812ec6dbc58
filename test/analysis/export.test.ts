/** Masks and scores that go elsewhere, read back by means of our own: names, shapes, types, and every element against the saved model. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { exportScores } from "../../server/src/analysis/export.js";
import { save } from "../../server/src/analysis/save.js";
import { memberName } from "../../server/src/data/array-names.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { model, node } from "../support/model-builder.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import { convNet, weight } from "../support/model-networks.js";
import { value } from "../support/model-tensors.js";
import { quietContext } from "../support/job-context.js";
import { floats, readNpz } from "../support/read-npz.js";
import { exportedNames, torchNetwork, torchShapes } from "../support/torch-network.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const exported = (
  path: string,
  what: "mask" | "scores",
  recipe: Partial<Recipe> = {},
  target = folder.file(`${what}.npz`),
): ReturnType<typeof exportScores> =>
  exportScores(
    { uri: path, path, recipe: { ...defaultRecipe, sparsity: 0.7, ...recipe }, target, what },
    quietContext(),
  );

/** Elements of every layer, by the weight's name. */
const elementsOf = (path: string): Record<string, Float32Array> =>
  reading(path, ({ source, search }) =>
    Object.fromEntries(
      search.weights.map((one) => {
        const out = new Float32Array(one.size);
        storedElements(source, one).read(0, one.size, out);
        return [one.name, out];
      }),
    ),
  );

describe("a network in PyTorch's naming", () => {
  const path = folder.write("torch.onnx", torchNetwork());

  it("has its mask by the names of its weights, as bool in stored shapes: 1 exactly where the saved model is not 0", async () => {
    const report = await exported(path, "mask");
    const target = folder.file("torch-pruned.onnx");
    await save(saveParams(path, { target, recipe: { sparsity: 0.7 } }), quietContext());
    const saved = elementsOf(target);
    const arrays = await readNpz(report.path);
    const names = Object.values(exportedNames);
    expect(Object.keys(arrays).sort()).toEqual([...names].sort());
    for (const [name, { descr, fortran, shape, payload }] of Object.entries(arrays)) {
      expect({ descr, fortran }, name).toEqual({ descr: "|b1", fortran: false });
      const torch = Object.keys(exportedNames).find((key) => exportedNames[key] === name)!;
      const dims = torchShapes[torch]!;
      expect(shape, name).toEqual(name.startsWith("onnx::MatMul") ? [...dims].reverse() : dims);
      // The weights are normal numbers: none of them is 0 before.
      expect(Array.from(payload), name).toEqual(Array.from(saved[name]!, (one) => (one === 0 ? 0 : 1)));
    }
    const total = Object.values(saved).reduce((sum, { length }) => sum + length, 0);
    expect(report).toMatchObject({ arrays: names.length, elements: total, bytes: readFileSync(report.path).length });
  });

  it("has its scores as float32: |w|, bit for bit", async () => {
    const arrays = await readNpz((await exported(path, "scores")).path);
    const weights = elementsOf(path);
    expect(Object.keys(arrays).sort()).toEqual(Object.keys(weights).sort());
    for (const [name, array] of Object.entries(arrays)) {
      expect(array.descr).toBe("<f4");
      expect(floats(array), name).toEqual(weights[name]!.map(Math.abs));
    }
  });
});

it("is the same file for the same mask", async () => {
  const path = folder.write("same.onnx", convNet());
  const first = readFileSync((await exported(path, "mask")).path);
  expect(readFileSync((await exported(path, "mask")).path).equals(first)).toBe(true);
});

it("keeps excluded layers whole in the mask", async () => {
  const path = folder.write("some.onnx", convNet());
  const arrays = await readNpz((await exported(path, "mask", { exclude: ["conv1.weight"] })).path);
  expect(arrays["conv1.weight"]!.payload.every((flag) => flag === 1)).toBe(true);
  expect(arrays["conv2.weight"]!.payload.includes(0)).toBe(true);
});

it("writes arrays of more than one block whole", async () => {
  const made = model({
    graph: {
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      inputs: [value("x", "float", [1, 300])],
      outputs: [value("y", "float", [1, 500])],
      initializers: [weight("w", [300, 500], 1)],
    },
  });
  const path = folder.write("blocks.onnx", made);
  const { payload } = (await readNpz((await exported(path, "mask")).path))["w"]!;
  expect(payload.length).toBe(300 * 500);
  expect(payload.reduce((sum, flag) => sum + flag, 0)).toBe(Math.round(0.3 * 300 * 500));
});

describe("names", () => {
  it("that a zip refuses are encoded, so that no two become one", () => {
    const names = [
      "/fc/w",
      "%2Ffc/w",
      "fc/w",
      "../w",
      "a/../w",
      "a/..",
      "C:w",
      "a\\w",
      "onnx::MatMul_45",
      "w:0",
      "...",
    ];
    const encoded = names.map(memberName);
    expect(new Set(encoded).size).toBe(names.length);
    expect(encoded.map(decodeURIComponent)).toEqual(names);
    for (const name of encoded) expect(`${name}.npy`).not.toMatch(/^\/|^[a-zA-Z]:|\\|(^|\/)\.\.(\/|$)/);
    expect(memberName("onnx::MatMul_45")).toBe("onnx::MatMul_45");
    expect(memberName("layer1.0.conv1.weight")).toBe("layer1.0.conv1.weight");
  });

  it("are written and found again", async () => {
    const made = model({
      graph: {
        nodes: [node("MatMul", ["x", "/a/../w"], ["h"]), node("MatMul", ["h", "C:w"], ["y"])],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", [1, 4])],
        initializers: [weight("/a/../w", [4, 4], 1), weight("C:w", [4, 4], 2)],
      },
    });
    const path = folder.write("odd-names.onnx", made);
    const { path: scores } = await exported(path, "scores");
    expect(
      Object.keys(await readNpz(scores))
        .map(decodeURIComponent)
        .sort(),
    ).toEqual(["/a/../w", "C:w"]);
    const target = folder.file("odd-pruned.onnx");
    const recipe = { criterion: "imported", scores, sparsity: 0.5 };
    const { kept } = await save(saveParams(path, { target, recipe }), quietContext());
    expect(kept).toBe(16);
  });
});

describe("targets", () => {
  const path = folder.write("target.onnx", convNet());

  it.each([
    ["no .npz", () => folder.file("mask.onnx"), "unsafe-path", /does not end in \.npz/],
    ["a folder that is not there", () => folder.file("absent/mask.npz"), "write-failed", /the folder does not exist/],
    ["a folder", () => (mkdirSync(folder.file("dir.npz")), folder.file("dir.npz")), "write-failed", /it is a folder/],
    [
      "the mask that is read",
      () => {
        writeFileSync(folder.file("mine.npz"), "not read before");
        return folder.file("mine.npz");
      },
      "unsafe-path",
      /is read by this very recipe/,
    ],
  ])("%s: refused, and nothing is left behind", async (_, target, code, message) => {
    const place = target();
    const before = readdirSync(folder.path);
    const recipe = code === "unsafe-path" ? { mask: folder.file("mine.npz") } : {};
    await expect(exported(path, "mask", recipe, place)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(readdirSync(folder.path)).toEqual(before);
  });

  it("a job that is cancelled half way leaves nothing behind", async () => {
    const before = readdirSync(folder.path);
    let calls = 0;
    const context = {
      ...quietContext(),
      checkpoint: () => (++calls > 4 ? Promise.reject(new Error("stop")) : Promise.resolve()),
    };
    const target = folder.file("cancelled.npz");
    await expect(
      exportScores({ uri: path, path, recipe: defaultRecipe, target, what: "mask" }, context),
    ).rejects.toThrow("stop");
    expect(readdirSync(folder.path)).toEqual(before);
  });
});
