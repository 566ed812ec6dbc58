/** Saves that change more than the mask: what is composed with what, what stays, and what the report and the file say. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultRecipe, type EocInit, type Recipe } from "../../server/protocol/recipe.js";
import type { SaveReport } from "../../server/protocol/report.js";
import { save } from "../../server/src/analysis/save.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { float16ToNumber, numberToFloat16 } from "../../server/src/graph/float16.js";
import { onnxRuntime } from "../../server/src/runtime/session.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import {
  convNet,
  externalWeights,
  mlp,
  model,
  node,
  normals,
  quantised,
  storedWeight,
  type TestModel,
  value,
  weight,
} from "../support/models.js";
import { relativeDifference, runBytes } from "../support/run-model.js";

let folder = new ModelFolder();
let context = quietContext();
const eocInit: EocInit = { sigmaB: 0, scheme: "normal", force: true };

beforeEach(() => {
  folder = new ModelFolder();
  context = quietContext(folder.file("cache"));
});
afterEach(() => {
  folder.dispose();
});

interface Layer {
  readonly id: string;
  readonly values: Float64Array;
  readonly offset: number;
  readonly length: number;
}

const layersOf = (path: string): Layer[] =>
  reading(path, ({ source, search }) =>
    search.weights.map((one) => {
      const values = new Float64Array(one.size);
      storedElements(source, one).readExact(0, one.size, values);
      return { id: one.id, values, offset: one.tensor.offset, length: one.tensor.length };
    }),
  );

const operators = (path: string): string[] => reading(path, ({ model: { graph } }) => graph.nodes.map(({ op }) => op));

async function saved(made: TestModel, recipe: Partial<Recipe>): Promise<{ path: string; report: SaveReport }> {
  const path = folder.write("model.onnx", made);
  return { path, report: await save(saveParams(path, { recipe }), context) };
}

/** Two residual blocks of two convolutions with a bias each, a ReLU in between; a stem and a head. Input [batch, 3, 8, 8]. */
function residual(): TestModel {
  const conv = (x: string, name: string): ReturnType<typeof node> =>
    node("Conv", [x, name, `${name}.bias`], [`${name}.out`], { pads: [1, 1, 1, 1] });
  const block = (x: string, i: number): ReturnType<typeof node>[] => [
    conv(x, `a${i}`),
    node("Relu", [`a${i}.out`], [`r${i}`]),
    conv(`r${i}`, `b${i}`),
    node("Add", [x, `b${i}.out`], [`sum${i}`]),
  ];
  const names = ["stem", "a1", "b1", "a2", "b2"];
  return model({
    graph: {
      nodes: [
        conv("x", "stem"),
        ...block("stem.out", 1),
        ...block("sum1", 2),
        node("GlobalAveragePool", ["sum2"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "fc"], ["y"], { transB: 1 }),
      ],
      inputs: [value("x", "float", ["batch", 3, 8, 8])],
      outputs: [value("y", "float", ["batch", 10])],
      initializers: [
        ...names.map((name, i) => weight(name, [6, name === "stem" ? 3 : 6, 3, 3], i + 1)),
        ...names.map((name, i) => weight(`${name}.bias`, [6], i + 11)),
        weight("fc", [10, 6], 7),
      ],
    },
  });
}

describe("rescaling", () => {
  it("multiplies what the mask keeps by one number a layer, and changes no other byte", async () => {
    const { path, report } = await saved(mlp({ widths: [16, 40, 40, 10] }), { criterion: "random", rescale: "paper" });
    const [before, after] = [layersOf(path), layersOf(report.path)];
    before.forEach(({ values }, l) => {
      const kept = [...after[l]!.values.keys()].filter((i) => after[l]!.values[i] !== 0);
      expect(kept).toHaveLength(report.layers[l]!.kept);
      const [first] = kept;
      const factor = after[l]!.values[first!]! / values[first!]!;
      // Both are float32: each rounds by 6e-8 at most.
      for (const i of kept) expect(Math.abs(after[l]!.values[i]! / values[i]! / factor - 1)).toBeLessThan(3e-7);
      expect(factor).toBeGreaterThan(1.2);
    });
    const bytes = [readFileSync(path), readFileSync(report.path)] as const;
    for (const { offset, length } of before) for (const one of bytes) one.fill(0, offset, offset + length);
    expect(Buffer.compare(bytes[0], bytes[1].subarray(0, bytes[0].length))).toBe(0);
  });

  it("rounds to what the file holds", async () => {
    const { path, report } = await saved(storedWeight({ dtype: "float16", storage: "raw" }), { rescale: "paper" });
    const [[before], [after]] = [layersOf(path), layersOf(report.path)];
    const factor = Number(/multiplied by ([\d.]+)/.exec(report.edits[0]!.changes[0]!.words)![1]);
    expect(report.layers[0]!.zeros).toBe(report.layers[0]!.parameters - report.layers[0]!.kept);
    after!.values.forEach((v, i) => {
      if (v === 0) return;
      // The report gives the factor to four digits, a half has eleven bits.
      expect(Math.abs(v / (before!.values[i]! * factor) - 1)).toBeLessThan(1e-3);
      expect(float16ToNumber(numberToFloat16(v))).toBe(v);
    });
  });

  it("leaves out norms' and branches' layers and codes, each with its reason; they are pruned all the same", async () => {
    const { report } = await saved(convNet(), { rescale: "measured" });
    const [{ changes } = { changes: [] }] = report.edits;
    expect(changes.map(({ words }) => words.replace(/[\d.]+$/, "ρ"))).toEqual([
      "left as it is: a norm behind it takes the scale out again",
      'left as it is: it is in the residual block of "sum": residual branches are not rescaled',
      "multiplied by ρ",
    ]);
    expect(report.layers.every(({ zeros, parameters, kept }) => zeros === parameters - kept)).toBe(true);
    const codes = await saved(quantised({ dtype: "int8", axis: 1 }), { rescale: "paper", criterion: "random" });
    expect(codes.report.edits[0]!.words).toBe("No layer was rescaled after pruning.");
    expect(codes.report.edits[0]!.changes[0]!.words).toContain("codes of a quantisation");
  });

  it("changes nothing where nothing is pruned", async () => {
    const { path, report } = await saved(mlp(), { sparsity: 0, rescale: "paper" });
    const before = readFileSync(path);
    expect(Buffer.compare(before, readFileSync(report.path).subarray(0, before.length))).toBe(0);
  });
});

describe("all changes at once", () => {
  const recipe: Partial<Recipe> = { criterion: "snip", eocInit, rescale: "measured", sparsity: 0.6 };
  const x = Float32Array.from(normals(3, 2 * 3 * 64));

  it("are made in order, reported in order, proved by a run and written into the file's recipe", async () => {
    const { path, report } = await saved(residual(), { ...recipe, stableResnet: "mul" });
    expect(report.edits.map(({ edit }) => edit)).toEqual(["eoc-init", "stable-resnet", "rescale"]);
    expect(report.edits[1]!.measured.join()).toMatch(/saved model computes what/);
    expect(operators(report.path).filter((op) => op === "Mul")).toHaveLength(2);
    const metadata = reading(report.path, (read) => read.model.metadata);
    const written = metadata.find(({ key }) => key === "prunescope.recipe")!.value;
    expect(JSON.parse(written)).toEqual({ ...defaultRecipe, ...recipe, stableResnet: "mul" });
    expect(operators(path)).not.toContain("Mul");
  });

  it("give the same mask and the same function with the factors folded in", async () => {
    const made = residual();
    const path = folder.write("model.onnx", made);
    const files = await Promise.all(
      (["mul", "fold"] as const).map(async (stableResnet) => {
        const target = folder.file(`${stableResnet}.onnx`);
        const report = await save(saveParams(path, { target, recipe: { ...recipe, stableResnet } }), context);
        return { target, report };
      }),
    );
    const [mul, fold] = files.map(({ target }) => layersOf(target));
    const places = (layers: Layer[]): boolean[][] => layers.map(({ values }) => [...values].map((v) => v !== 0));
    expect(places(fold!)).toEqual(places(mul!));
    expect(operators(files[1]!.target)).not.toContain("Mul");
    expect(files[1]!.report.edits.map(({ edit }) => edit)).toEqual(["eoc-init", "stable-resnet", "rescale"]);
    const { Tensor } = await onnxRuntime();
    const [a, b] = await Promise.all(
      files.map(({ target }) => runBytes(target, { x: new Tensor("float32", x, [2, 3, 8, 8]) })),
    );
    // The order of multiplications of float32.
    expect(relativeDifference(a!, b!)).toBeLessThan(1e-5);
  });

  it("repeat bit by bit with the seed, and differ without it", async () => {
    const path = folder.write("model.onnx", residual());
    const bytes: Buffer[] = [];
    for (const [name, seed] of [
      ["one", 1],
      ["same", 1],
      ["other", 2],
    ] as const) {
      const target = folder.file(`${name}.onnx`);
      // Copies are made anew each time.
      const fresh = quietContext(folder.file(`cache-${name}`));
      await save(
        saveParams(path, { target, recipe: { ...recipe, stableResnet: "mul", seed }, metadata: false }),
        fresh,
      );
      bytes.push(readFileSync(target));
    }
    expect(Buffer.compare(bytes[0]!, bytes[1]!)).toBe(0);
    expect(Buffer.compare(bytes[0]!, bytes[2]!)).not.toBe(0);
  });
});

describe("the person's file", () => {
  it("is replaced by a changed model only when that was confirmed", async () => {
    const path = folder.write("model.onnx", mlp());
    const before = readFileSync(path);
    const params = saveParams(path, { target: path, recipe: { eocInit } });
    await expect(save(params, context)).rejects.toMatchObject({ code: "unsafe-path" });
    expect(Buffer.compare(readFileSync(path), before)).toBe(0);
    await save({ ...params, replaceOriginal: true }, context);
    expect(Buffer.compare(readFileSync(path), before)).not.toBe(0);
  });

  it("and its data are not overwritten by the data of a changed model beside it", async () => {
    const path = folder.write("model.onnx", externalWeights());
    const beside = save(saveParams(path, { recipe: { eocInit } }), context);
    await expect(beside).rejects.toMatchObject({ code: "unsafe-path" });
    mkdirSync(folder.file("out"));
    const target = folder.file("out/model.onnx");
    const report = await save(saveParams(path, { target, recipe: { eocInit } }), context);
    expect(existsSync(folder.file("out/more/weights.bin"))).toBe(true);
    expect(report.layers).toHaveLength(4);
  });

  it("must be the one that was looked at", async () => {
    const path = folder.write("model.onnx", mlp());
    const attempt = save(saveParams(path, { recipe: { eocInit }, fingerprint: "another" }), context);
    await expect(attempt).rejects.toMatchObject({ code: "changed-on-disk" });
    expect(existsSync(saveParams(path).target)).toBe(false);
  });
});
