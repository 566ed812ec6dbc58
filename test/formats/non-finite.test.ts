/** A layer with NaN or infinite weights cannot be ranked: it is named, and nothing is saved unless it is excluded. */
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { save } from "../../server/src/analysis/save.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import { model, node, normals, type TestModel, tensor, value, weight } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const dtypes = ["float", "double", "float16", "bfloat16"] as const;
const values = [NaN, Infinity, -Infinity] as const;

/** Two layers, one with a value in it that is no number. */
function withBadWeight(dtype: (typeof dtypes)[number], bad: number, storage: "raw" | "typed"): TestModel {
  const numbers = normals(2, 36);
  numbers[17] = bad;
  return model({
    graph: {
      nodes: [
        node("Cast", ["bad"], ["wide"], { to: 1 }),
        node("MatMul", ["x", "good"], ["h"]),
        node("MatMul", ["h", "wide"], ["y"]),
      ],
      inputs: [value("x", "float", [2, 6])],
      outputs: [value("y", "float", [2, 6])],
      initializers: [weight("good", [6, 6], 1), tensor("bad", dtype, [6, 6], numbers, storage)],
    },
  });
}

describe.each(dtypes)("%s", (dtype) => {
  test.each(values)("%d is refused by the layer's name, and leaves the disk as it was", async (bad) => {
    const path = folder.write("bad.onnx", withBadWeight(dtype, bad, "raw"));
    const target = folder.file("never.onnx");
    await expect(save(saveParams(path, { target }), quietContext())).rejects.toMatchObject({
      code: "non-finite",
      message: expect.stringContaining('"bad"') as string,
    });
    expect(existsSync(target)).toBe(false);
  });

  test("the layer keeps its bytes when it is excluded, and the others are pruned", async () => {
    const path = folder.write("bad.onnx", withBadWeight(dtype, NaN, dtype === "float16" ? "typed" : "raw"));
    const target = folder.file(`${dtype}.onnx`);
    const report = await save(saveParams(path, { target, recipe: { exclude: ["bad"] } }), quietContext());
    expect(report.layers.map(({ id, kept }) => [id, kept])).toEqual([
      ["good", 18],
      ["bad", 36],
    ]);
    const bytes = (file: string): Buffer =>
      reading(file, ({ search }) => {
        const { offset, length } = search.weights.find(({ id }) => id === "bad")!.tensor;
        return readFileSync(file).subarray(offset, offset + length);
      });
    expect(Buffer.compare(bytes(target), bytes(path))).toBe(0);
  });
});
