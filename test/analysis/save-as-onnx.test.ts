/**
 * A TensorFlow.js model saved as ONNX: a file that onnx-buf decodes and ONNX Runtime loads, which computes what the
 * original does, looks as an export of ONNX' own (kernels [out, in, …], no transposes of weights), and has the same
 * layers with the same scores when it is opened.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { ModelProtoSchema } from "onnx-buf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { save } from "../../server/src/analysis/save.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import {
  floats,
  type FolderOptions,
  graphModel,
  largestDifference,
  layersModel,
  node,
  placeholder,
  readWeights,
  runLowered,
  runOriginal,
  type TfjsModel,
  weight,
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
        layers.conv2d({ inputShape: [9, 9, 4], filters: 8, kernelSize: 3, padding: "same", useBias: false, name: "a" }),
        layers.batchNormalization({ name: "norm" }),
        layers.activation({ activation: "relu", name: "relu" }),
        layers.conv2d({ filters: 12, kernelSize: [3, 2], strides: 2, activation: "relu", name: "b" }),
        layers.flatten({ name: "flat" }),
        layers.dense({ units: 16, activation: "tanh", name: "c" }),
        layers.dense({ units: 5, activation: "softmax", name: "d" }),
      ],
    }),
  );
});

let copies = 0;
const written = (model: TfjsModel, options: FolderOptions = {}): { readonly path: string; readonly target: string } => {
  const place = folder.file(`case${copies++}`);
  const path = writeTfjs(join(place, "in"), model, options);
  return { path, target: join(place, "m.onnx") };
};

const converted = (path: string, target: string, recipe: Partial<Recipe> = {}) =>
  save(saveParams(path, { target, recipe: { criterion: "magnitude", sparsity: 0, ...recipe } }), quietContext());

const decoded = (path: string) => fromBinary(ModelProtoSchema, readFileSync(path));

/** Every layer's numbers, those of a kernel in the order of ONNX. */
const numbersOf = (path: string): Promise<Map<string, Float32Array>> =>
  withModel(path, ({ search, source }) =>
    Promise.resolve(
      new Map(
        search.weights.map((one) => {
          const values = new Float32Array(one.size);
          storedElements(source, one).read(0, one.size, values);
          return [one.id, values] as const;
        }),
      ),
    ),
  );

describe.each<[string, FolderOptions]>([
  ["float32 over many shards", { shardSize: 501 }],
  ["uint8", { quantise: "uint8" }],
  ["float16", { quantise: "float16" }],
])("%s", (_name, options) => {
  test("the file loads and computes what the original does", async () => {
    const { path, target } = written(cnn, options);
    const report = await converted(path, target);
    expect(report.bytes).toBe(readFileSync(target).length);
    const inputs = { [await inputOf(path)]: floats([3, 9, 9, 4]) };
    // Sums of some hundred products of float32, in another order.
    expect(largestDifference(await runOriginal(path, inputs, "cpu"), await runLowered(target, inputs))).toBeLessThan(
      1e-5,
    );
    // The same operators on the same numbers, fused or not.
    expect(largestDifference(await runLowered(path, inputs), await runLowered(target, inputs))).toBeLessThan(1e-6);
  });

  test("pruned, its zeros are exactly those of the mask", async () => {
    const { path, target } = written(cnn, options);
    const report = await converted(path, target, { sparsity: 0.75 });
    const before = readWeights(path);
    const after = await numbersOf(target);
    for (const { id, kept, parameters, zeros } of report.layers) {
      const values = after.get(id)!;
      expect(values.length).toBe(parameters);
      expect(values.filter((value) => value === 0).length).toBe(zeros);
      // What is kept is what is largest, and no number has changed.
      const sizes = [...before.get(id)!.values].map(Math.abs).sort((a, b) => b - a);
      expect(
        [...values]
          .map(Math.abs)
          .filter((value) => value > 0)
          .sort((a, b) => b - a),
      ).toEqual(sizes.slice(0, kept).filter((value) => value > 0));
    }
    expect(report.kept).toBe(Math.round(0.25 * report.prunable));
  });
});

const inputOf = (path: string): Promise<string> =>
  withModel(path, ({ model }) => Promise.resolve(model.graph.inputs[0]!.name));

test("weights lie as ONNX wants them, under their names, and no node moves them", async () => {
  const { path, target } = written(cnn);
  await converted(path, target);
  const { graph, opsetImport, producerName, metadataProps } = decoded(target);
  const shapes = new Map(graph!.initializer.map(({ name, dims }) => [name, dims.map(Number)]));
  expect(shapes.get("a/kernel")).toEqual([8, 4, 3, 3]);
  expect(shapes.get("b/kernel")).toEqual([12, 8, 3, 2]);
  expect(shapes.get("c/kernel")).toEqual([4 * 4 * 12, 16]);
  expect(
    graph!.node.filter(({ input }) => input.some((name) => name.endsWith("/kernel"))).map(({ opType }) => opType),
  ).toEqual(["Conv", "Conv", "Gemm", "Gemm"]);
  expect(opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([["", 21]]);
  expect(producerName).toBe("prunescope");
  expect(metadataProps.map(({ key }) => key)).toEqual(["prunescope.version", "prunescope.recipe", "prunescope.source"]);
  expect(graph!.input).toHaveLength(1);
});

test.each(["magnitude", "snip", "synflow"])(
  "opened again it has the same layers with the same scores by %s",
  async (criterion) => {
    const { path, target } = written(cnn);
    await converted(path, target);
    const reportOf = async (file: string) =>
      (
        await analyze(
          { uri: file, path: file, recipe: { ...saveParams(file).recipe, criterion, sparsity: 0.8 } },
          quietContext(),
        )
      ).report;
    const [before, after] = [await reportOf(path), await reportOf(target)];
    expect(after.layers.map(({ id, op, parameters, kept }) => [id, op, parameters, kept])).toEqual(
      before.layers.map(({ id, op, parameters, kept }) => [id, op, parameters, kept]),
    );
    for (const [l, layer] of after.layers.entries())
      // Float32 sums over the batch in another order.
      expect(Math.abs(layer.score!.sum / before.layers[l]!.score!.sum - 1)).toBeLessThan(1e-4);
  },
);

test("a tied weight that is used in two ways stays one layer", async () => {
  const tied = graphModel({
    inputs: [placeholder("x", [null, 6])],
    weights: [
      weight(
        "k",
        [6, 4],
        Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)),
      ),
    ],
    nodes: [
      node("MatMul", "h", ["x", "k"], { transpose_a: false, transpose_b: false }),
      node("MatMul", "y", ["h", "k"], { transpose_a: false, transpose_b: true }),
    ],
    outputs: ["y"],
  });
  const { path, target } = written(tied);
  const report = await converted(path, target, { sparsity: 0.5 });
  expect(report.layers.map(({ id }) => id)).toEqual(["k"]);
  const inputs = { x: floats([2, 6]) };
  const pruned = join(dirname(target), "pruned", "model.json");
  await save(saveParams(path, { target: pruned, recipe: { criterion: "magnitude", sparsity: 0.5 } }), quietContext());
  expect(largestDifference(await runOriginal(pruned, inputs, "cpu"), await runLowered(target, inputs))).toBeLessThan(
    1e-5,
  );
});

test("a pattern is read back along the axis that it has in ONNX", async () => {
  const { path, target } = written(cnn);
  const report = await converted(path, target, { pattern: { n: 2, m: 4 } });
  const held = report.layers.map(({ pattern }) => [pattern?.groups, pattern?.held]);
  expect(held).toEqual([
    [72, 72],
    [144, 144],
    [768, 768],
    [20, 20],
  ]);
  const values = (await numbersOf(target)).get("b/kernel")!;
  // Stored [12, 8, 3, 2]: four neighbours of the second axis are six elements apart.
  for (let out = 0; out < 12; out++)
    for (let group = 0; group < 2; group++)
      for (let place = 0; place < 6; place++) {
        const four = [0, 1, 2, 3].map((i) => values[(out * 8 + 4 * group + i) * 6 + place]!);
        expect(four.filter((value) => value !== 0).length).toBeLessThanOrEqual(2);
      }
});

describe("what is refused leaves nothing", () => {
  test("a model with what has no lowering, by name", async () => {
    const strange = graphModel({
      inputs: [placeholder("x", [null, 6])],
      weights: [weight("k", [6, 4], new Float32Array(24).fill(1))],
      nodes: [
        node("MatMul", "h", ["x", "k"], { transpose_a: false, transpose_b: false }),
        node("NobodyKnowsThis", "odd", ["h"]),
      ],
      outputs: ["odd"],
    });
    const { path, target } = written(strange);
    await expect(converted(path, target)).rejects.toMatchObject({
      code: "unsupported-op",
      message: expect.stringMatching(/no ONNX operators for "odd" \(NobodyKnowsThis\)/) as string,
    });
    expect(existsSync(target)).toBe(false);
  });

  test("Stable ResNet, and another format than ONNX", async () => {
    const { path, target } = written(cnn);
    await expect(converted(path, target, { stableResnet: "mul" })).rejects.toMatchObject({ code: "bad-request" });
    await converted(path, target);
    await expect(
      save(saveParams(target, { target: join(dirname(target), "back", "model.json") }), quietContext()),
    ).rejects.toMatchObject({ code: "bad-request", message: expect.stringContaining("only to ONNX") as string });
    expect(existsSync(join(dirname(target), "back"))).toBe(false);
  });

  test("a file of the original", async () => {
    const { path } = written(cnn);
    const shard = join(dirname(path), "shard.onnx");
    writeFileSync(shard, readFileSync(join(dirname(path), "group1-shard1of1.bin")));
    writeFileSync(path, readFileSync(path, "utf8").replace("group1-shard1of1.bin", "shard.onnx"));
    const before = readFileSync(shard);
    await expect(converted(path, shard)).rejects.toMatchObject({ code: "unsafe-path" });
    expect(readFileSync(shard).equals(before)).toBe(true);
  });
});
