/** Saved models in ONNX Runtime: it loads them, and sees the numbers that PruneScope says are there. */
import { mkdirSync } from "node:fs";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { save } from "../../server/src/analysis/save.js";
import { verify } from "../../server/src/analysis/verify.js";
import { blockElements, storedElements } from "../../server/src/formats/stored-elements.js";
import { syntheticInput } from "../../server/src/runtime/inputs.js";
import { openSession } from "../../server/src/runtime/session.js";
import { fixtures } from "../cases/fixtures.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import {
  behind,
  generateLargeModel,
  node,
  quantised,
  sparseWeight,
  storedWeight,
  type TestModel,
  value,
} from "../support/models.js";

let folder = new ModelFolder();
beforeEach(() => {
  folder.dispose();
  folder = new ModelFolder();
});
afterAll(() => {
  folder.dispose();
});

const threads = 1;

async function outputs(path: string): Promise<InferenceSession.OnnxValueMapType> {
  const inputs = reading(path, ({ model }) => model.graph.inputs);
  const session = await openSession(path, { threads, optimise: true });
  try {
    return await session.run((await syntheticInput(inputs, {}, 1)).feeds);
  } finally {
    await session.release();
  }
}

test.each(fixtures.filter(({ runs }) => runs !== false))("$name loads and runs, saved as before", async ({ make }) => {
  mkdirSync(folder.file("out"));
  const path = folder.write("model.onnx", make());
  const pruned = folder.file("out/pruned.onnx");
  await save(saveParams(path, { target: pruned }), quietContext());
  const report = await verify({ uri: path, path, pruned, seed: 1, dynamicAxes: {} }, quietContext());
  expect(report.outputs.length).toBeGreaterThan(0);
  for (const { name, maxDifference, maxOriginal } of report.outputs) {
    expect(maxDifference, name).not.toBeNull();
    expect(maxOriginal, name).toBeLessThan(1e6);
  }
});

/** The model with the weight as its operator sees it as one more output, `seen`. */
function exposing(made: TestModel, from: string): TestModel {
  const { graph } = made.proto;
  graph!.node.push(node("Identity", [from], ["seen"]));
  graph!.output.push(value("seen", "float", null));
  return made;
}

const seen: readonly { readonly name: string; readonly make: () => TestModel }[] = [
  ...(["float", "double", "float16", "bfloat16"] as const).flatMap((dtype) =>
    (["raw", "typed", "external"] as const).map((storage) => ({
      name: `${dtype} ${storage}`,
      make: () => exposing(storedWeight({ dtype, storage }), dtype === "float" ? "w" : "wide"),
    })),
  ),
  ...(["int8", "uint8"] as const).flatMap((dtype) =>
    ([null, 0, 1] as const).map((axis) => ({
      name: `${dtype} with ${axis === null ? "one zero point" : `zero points along axis ${axis}`}`,
      make: () => exposing(quantised({ dtype, axis, shape: [40, 30] }), "wide"),
    })),
  ),
  { name: "float behind Slice and Concat", make: () => exposing(behind("sliceConcat"), "w") },
];

describe.each(seen)("$name", ({ make }) => {
  test("ONNX Runtime sees a 0 for every removed weight and the old number for every other", async () => {
    mkdirSync(folder.file("out"));
    const path = folder.write("model.onnx", make());
    const target = folder.file("out/pruned.onnx");
    const report = await save(saveParams(path, { target, recipe: { sparsity: 0.8 } }), quietContext());
    const before = (await outputs(path))["seen"] as Tensor;
    const after = (await outputs(target))["seen"] as Tensor;
    const original = before.data as Float32Array;
    const now = after.data as Float32Array;
    const read = reading(target, ({ source, search }) => {
      const elements = storedElements(source, search.weights[0]!);
      const all = new Float32Array(blockElements);
      elements.read(0, elements.size, all);
      return all.slice(0, elements.size);
    });
    expect(now).toEqual(read);
    const zeros = now.filter((number) => number === 0).length;
    expect(zeros).toBe(report.layers[0]!.zeros);
    expect(zeros).toBeGreaterThanOrEqual(report.prunable - report.kept);
    expect(now.every((number, i) => number === 0 || number === original[i])).toBe(true);
  });
});

test("a sparse weight loses stored elements and gains none", async () => {
  const path = folder.write("model.onnx", exposing(sparseWeight(), "w"));
  await save(saveParams(path, { target: folder.file("pruned.onnx") }), quietContext());
  const count = async (file: string): Promise<number> =>
    ((await outputs(folder.file(file)))["seen"] as { readonly data: Float32Array }).data.filter(
      (number) => number !== 0,
    ).length;
  expect([await count("model.onnx"), await count("pruned.onnx")]).toEqual([16, 8]);
});

test("a generated model of 10 MB runs before and after", async () => {
  const { path, bytes, parameters } = await generateLargeModel(folder.file("large.onnx"), 10);
  expect(Math.abs(bytes / 10e6 - 1)).toBeLessThan(0.02);
  const report = await save(saveParams(path, { recipe: { sparsity: 0.9 } }), quietContext());
  expect(report.prunable).toBe(parameters);
  const verified = await verify({ uri: path, path, pruned: report.path, seed: 1, dynamicAxes: {} }, quietContext());
  expect(verified.outputs.map(({ name }) => name)).toEqual(["y"]);
  expect(verified.outputs[0]!.maxDifference).toBeGreaterThan(0);
  expect(verified.outputs[0]!.maxOriginal).toBeLessThan(1e3);
});
