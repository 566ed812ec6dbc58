/**
 * Masks and scores that come from elsewhere: what is exported and imported again prunes the same bytes; every layout and
 * type against the same mask; and hostile archives against the error they get.
 */
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import type { AnalysisResult } from "../../server/protocol/report.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { exportScores } from "../../server/src/analysis/export.js";
import { save } from "../../server/src/analysis/save.js";
import { bytesOf, type DataArray, makeValues, type NumericType } from "../../server/src/data/array.js";
import { counted, npy, npyBytes, npz, zipped } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { convNet, mlp } from "../support/model-networks.js";
import { readNpz } from "../support/read-npz.js";
import { exportedNames, torchNetwork, torchShapes } from "../support/torch-network.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

let files = 0;
const fresh = (extension: string): string => folder.file(`${++files}${extension}`);

/** Bytes that a save of the recipe writes, without metadata. */
async function pruned(path: string, recipe: Partial<Recipe>, storage: string | null = null): Promise<Buffer> {
  const target = fresh(".onnx");
  await save(saveParams(path, { target, metadata: false, recipe }), quietContext(storage));
  return readFileSync(target);
}

async function exported(path: string, what: "mask" | "scores", recipe: Partial<Recipe>): Promise<string> {
  const target = fresh(".npz");
  await exportScores({ uri: path, path, recipe: { ...defaultRecipe, ...recipe }, target, what }, quietContext());
  return target;
}

const analysed = (path: string, recipe: Partial<Recipe>): Promise<AnalysisResult> =>
  analyze({ uri: path, path, recipe: { ...defaultRecipe, ...recipe } }, quietContext());

function archive(arrays: Readonly<Record<string, DataArray>>): Promise<string> {
  return npz(arrays).then((bytes) => {
    const file = fresh(".npz");
    writeFileSync(file, bytes);
    return file;
  });
}

const torch = folder.write("torch.onnx", torchNetwork());
const conv = folder.write("conv.onnx", convNet());

describe("a round trip", () => {
  const recipes: [string, Partial<Recipe>][] = [
    ["magnitude", { sparsity: 0.7 }],
    [
      "random by layer, with a floor and an exclusion",
      {
        criterion: "random",
        scope: "layer",
        sparsity: 0.8,
        floors: { "fc.weight": 0.5 },
        exclude: ["conv1.weight"],
      },
    ],
    ["grasp, whose scores have signs", { criterion: "grasp", sparsity: 0.6, batchNorm: "stored", batch: 4 }],
  ];

  it.each(recipes)("of a mask at sparsity 0 prunes the same bytes: %s", async (_, recipe) => {
    const mask = await exported(conv, "mask", recipe);
    const expected = await pruned(conv, recipe);
    expect((await pruned(conv, { mask, sparsity: 0 })).equals(expected)).toBe(true);
    // Unpacked into a cache, and from there a second time.
    const storage = folder.place();
    for (let i = 0; i < 2; i++)
      expect((await pruned(conv, { mask, sparsity: 0 }, storage)).equals(expected)).toBe(true);
  });

  it.each(recipes)("of scores prunes the same bytes: %s", async (_, recipe) => {
    const scores = await exported(conv, "scores", recipe);
    const again = await pruned(conv, { ...recipe, criterion: "imported", scores }, folder.place());
    expect(again.equals(await pruned(conv, recipe))).toBe(true);
  });

  it("of a mask, exported once more, is the same file", async () => {
    const mask = await exported(conv, "mask", { sparsity: 0.7 });
    const again = await exported(conv, "mask", { mask, sparsity: 0 });
    expect(readFileSync(again).equals(readFileSync(mask))).toBe(true);
  });
});

describe("a mask", () => {
  it("goes first where the sparsity asks for more, and is all that goes where it asks for less", async () => {
    const mask = await exported(conv, "mask", { criterion: "random", sparsity: 0.5 });
    const flags = await readNpz(mask);
    const total = Object.values(flags).reduce((sum, { payload }) => sum + payload.length, 0);
    const more = await readNpz(await exported(conv, "mask", { mask, sparsity: 0.8 }));
    let kept = 0;
    for (const [name, { payload }] of Object.entries(more))
      payload.forEach((flag, i) => {
        kept += flag;
        if (flag === 1) expect(flags[name]!.payload[i]).toBe(1);
      });
    expect(kept).toBe(Math.round(0.2 * total));
    const less = await exported(conv, "mask", { mask, sparsity: 0.2 });
    expect(readFileSync(less).equals(readFileSync(mask))).toBe(true);
  });

  it("that is silent on a layer keeps it whole, and says so; what is left dense stays dense", async () => {
    const mask = await archive({ "fc.weight": counted("bool", [10, 8], () => 0), other: counted("float", [2]) });
    const { report } = await analysed(conv, { mask, sparsity: 0, exclude: [] });
    expect(report.layers.map(({ id, kept, parameters }) => [id, parameters - kept])).toEqual([
      ["conv1.weight", 0],
      ["conv2.weight", 0],
      ["fc.weight", 80],
    ]);
    expect(report.notes).toContainEqual(expect.stringMatching(/has no mask for "conv1.weight", "conv2.weight"/));
    expect(report.notes).toContainEqual(
      expect.stringMatching(/1 of 2 arrays of .* belong to no prunable weight: "other"/),
    );
    const excluded = await analysed(conv, { mask, sparsity: 0, exclude: ["fc.weight"] });
    expect(excluded.report.kept).toBe(excluded.report.model.prunable);
  });

  it("that changes is read again, and makes another result", async () => {
    const storage = quietContext(folder.place());
    const mask = await archive({ "fc.weight": counted("bool", [10, 8], (i) => i % 2) });
    const recipe = { ...defaultRecipe, mask, sparsity: 0 };
    const first = await analyze({ uri: conv, path: conv, recipe }, storage);
    writeFileSync(mask, await npz({ "fc.weight": counted("bool", [10, 8], (i) => Number(i % 4 === 0)) }));
    utimesSync(mask, new Date(1e12), new Date(1e12));
    const second = await analyze({ uri: conv, path: conv, recipe }, storage);
    expect(second.resultId).not.toBe(first.resultId);
    expect([first, second].map(({ report }) => report.layers[2]!.kept)).toEqual([40, 20]);
  });
});

/** A mask for every weight of the network in PyTorch's naming, by its state_dict names: about half of it. */
const torchMasks = (dtype: NumericType = "bool"): Record<string, DataArray> =>
  Object.fromEntries(
    Object.entries(torchShapes).map(([name, shape], k) => [name, counted(dtype, shape, (i) => ((i * 7 + k) % 3) % 2)]),
  );

/** The mask of the file's weights: as PyTorch has it, but transposed where the file is. */
function storedMask(name: string, { shape, values }: DataArray): number[] {
  const flags = Array.from({ length: values.length }, (_, i) => (Number(values[i]) === 0 ? 0 : 1));
  if (!exportedNames[name]!.startsWith("onnx::MatMul")) return flags;
  const [rows, columns] = shape as [number, number];
  return flags.map((_, i) => flags[(i % rows) * columns + Math.floor(i / rows)]!);
}

describe("arrays of PyTorch", () => {
  it.each(["bool", "uint8", "int32", "int64", "float16", "float", "double"] as const)(
    "of %s are matched by module, and transposed where the file stores the transpose",
    async (dtype) => {
      const masks = torchMasks(dtype);
      const applied = await readNpz(await exported(torch, "mask", { mask: await archive(masks), sparsity: 0 }));
      for (const [name, array] of Object.entries(masks))
        expect(Array.from(applied[exportedNames[name]!]!.payload), name).toEqual(storedMask(name, array));
    },
  );

  it("are told of in notes: what was matched by a part of its name, and what was transposed", async () => {
    const { report } = await analysed(torch, { mask: await archive(torchMasks()), sparsity: 0 });
    expect(report.notes.join("\n")).toMatch(/"layer1.0.conv1.weight" for "onnx::Conv_83"/);
    expect(report.notes.join("\n")).toMatch(/Transposed, .*"att.0.qkv.weight", "att.0.proj.weight"/);
  });

  it("in the file's own shape are taken as they are, and axes of length 1 may be missing", async () => {
    const mask = await archive({
      "onnx::MatMul_92": counted("bool", [8, 16], (i) => i % 2),
      "layer1.0.down.0.weight": counted("bool", [8, 8], (i) => i % 2),
    });
    const applied = await readNpz(await exported(torch, "mask", { mask, sparsity: 0 }));
    for (const name of ["onnx::MatMul_92", "layer1.0.down.0.weight"])
      expect(Array.from(applied[name]!.payload), name).toEqual(Array.from(applied[name]!.payload, (_, i) => i % 2));
  });

  it("in Fortran's order are the same mask", async () => {
    const [rows, columns] = [16, 8];
    const flags = counted("bool", [rows, columns], (i) => (i % 3) % 2);
    const columnMajor = makeValues("bool", rows * columns) as Uint8Array;
    for (let i = 0; i < columnMajor.length; i++)
      columnMajor[i] = Number(flags.values[(i % rows) * columns + Math.floor(i / rows)]!);
    const header = `{'descr': '|b1', 'fortran_order': True, 'shape': (${rows}, ${columns}), }`;
    const file = fresh(".npz");
    writeFileSync(file, await zipped({ "att.0.proj.weight.npy": npyBytes(header, columnMajor) }));
    const applied = await readNpz(await exported(torch, "mask", { mask: file, sparsity: 0 }));
    expect(Array.from(applied["onnx::MatMul_92"]!.payload)).toEqual(storedMask("att.0.proj.weight", flags));
  });
});

describe("scores", () => {
  it("without an array leave a layer dense, with the reason; it is not exported either", async () => {
    const scores = await archive({ "fc.weight": counted("float", [10, 8]) });
    const recipe = { criterion: "imported", scores, sparsity: 0.5 };
    const { report } = await analysed(conv, recipe);
    expect(report.layers.map(({ unscored, kept }) => [unscored === null, kept])).toEqual([
      [false, 216],
      [false, 576],
      [true, 40],
    ]);
    expect(report.layers[0]!.unscored).toMatch(/\.npz has no array of its name/);
    expect(Object.keys(await readNpz(await exported(conv, "scores", recipe)))).toEqual(["fc.weight"]);
  });

  it("that are NaN are shown, and nothing is saved by them", async () => {
    const scores = await archive({ "fc.weight": counted("float", [10, 8], (i) => (i === 3 ? NaN : i)) });
    const recipe = { criterion: "imported", scores, sparsity: 0.5 };
    expect((await analysed(conv, recipe)).report.layers[2]!.score?.nonFinite).toBe(1);
    await expect(pruned(conv, recipe)).rejects.toMatchObject({ code: "non-finite" });
  });

  it("need a file", async () => {
    await expect(analysed(conv, { criterion: "imported" })).rejects.toMatchObject({
      code: "missing-data",
      message: expect.stringMatching(/--scores FILE\.npz/) as string,
    });
  });
});

describe("bad files", () => {
  const small = folder.write("mlp.onnx", mlp({ widths: [4, 3] }));
  const good = npy(counted("bool", [3, 4]));
  const write = (bytes: Uint8Array): string => {
    const file = fresh(".npz");
    writeFileSync(file, bytes);
    return file;
  };
  const member = (bytes: Uint8Array): Promise<Buffer> => zipped({ "layer0.weight.npy": bytes }, true);
  const header = (descr: string, shape: string): string =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;

  it.each<[string, () => string | Promise<string>, string, RegExp]>([
    ["that are not there", () => folder.file("absent.npz"), "missing-data", /absent\.npz does not exist/],
    [
      "that are folders",
      () => (mkdirSync(folder.file("f.npz")), folder.file("f.npz")),
      "malformed-model",
      /not a regular file/,
    ],
    ["that are no archive", () => write(good), "unsupported-format", /no readable \.npz/],
    [
      "that are cut off",
      async () => {
        const whole = await member(good);
        return write(whole.subarray(0, whole.length - 30));
      },
      "unsupported-format",
      /no readable \.npz/,
    ],
    [
      "whose member is cut off",
      async () => write(await member(npyBytes(header("|b1", "3, 4"), new Uint8Array(5)))),
      "unsupported-format",
      /cut off: its shape \[3, 4\] needs/,
    ],
    [
      "of another shape",
      async () => write(await npz({ "layer0.weight": counted("bool", [2, 6]) })),
      "shape-mismatch",
      /has the shape \[2, 6\], and the model stores "layer0\.weight" as \[3, 4\]/,
    ],
    [
      "that say they are huge",
      async () => write(await member(npyBytes(header("<f8", "1000000, 1000000"), new Uint8Array(0)))),
      "unsupported-format",
      /cut off/,
    ],
    [
      "of Python objects",
      async () => write(await member(npyBytes(header("|O", "3, 4"), bytesOf(counted("bool", [12]))))),
      "unsupported-format",
      /Python objects/,
    ],
    [
      "of no arrays",
      async () => write(await zipped({ "readme.txt": good })),
      "missing-data",
      /It holds no array; weights are "layer0\.weight"/,
    ],
    [
      "of other names",
      async () => write(await npz({ a: counted("bool", [3, 4]), b: counted("bool", [1]) })),
      "missing-data",
      /It holds "a", "b"; weights are "layer0\.weight"/,
    ],
    [
      "of NaN",
      async () => write(await npz({ "layer0.weight": counted("float", [3, 4], () => NaN) })),
      "non-finite",
      /is a mask and holds NaN/,
    ],
  ])("%s", async (_, file, code, message) => {
    const mask = await file();
    await expect(analysed(small, { mask, sparsity: 0 })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it("that hold a name twice", async () => {
    const bytes = await zipped({ "layer0.weight.npy": good, "layer0.weighs.npy": good });
    for (let at = bytes.indexOf("weighs"); at >= 0; at = bytes.indexOf("weighs", at)) bytes.write("weight", at);
    await expect(analysed(small, { mask: write(bytes), sparsity: 0 })).rejects.toThrow(
      /two arrays named "layer0\.weight"/,
    );
  });

  it("whose member unpacks to more than its directory says", async () => {
    const bomb = await member(Buffer.concat([good, new Uint8Array(1 << 20)]));
    const directory = bomb.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    bomb.writeUInt32LE(good.length, directory + 24);
    await expect(analysed(small, { mask: write(bomb), sparsity: 0 })).rejects.toMatchObject({
      code: "unsupported-format",
      message: expect.stringMatching(/too many bytes/) as string,
    });
  });

  it("whose names lead out of a folder write nothing and match nothing", async () => {
    const mask = write(await zipped({ "../layer0.weigh.npy": good, "layer0.weight.npy": good }));
    await expect(analysed(small, { mask, sparsity: 0 })).rejects.toMatchObject({
      code: "unsupported-format",
      message: expect.stringMatching(/\.\.\//) as string,
    });
  });
});
