/**
 * Laws of saving, on every fixture model and whole files: outside the pruned weights every original byte stays at its
 * offset, inside them an element keeps its bytes or becomes a zero, and provenance follows after the last byte.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { keptCount } from "../../server/protocol/recipe.js";
import { save } from "../../server/src/analysis/save.js";
import { blockElements, type StoredElements, storedElements } from "../../server/src/formats/stored-elements.js";
import type { PrunableWeight } from "../../server/src/graph/prunable.js";
import { fixtures } from "../cases/fixtures.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import type { TestModel } from "../support/models.js";

let folder = new ModelFolder();
beforeEach(() => {
  folder.dispose();
  folder = new ModelFolder();
});
afterAll(() => {
  folder.dispose();
});

const provenanceKeys = ["prunescope.version", "prunescope.recipe", "prunescope.source"];

/** The opset changes nothing about bytes: one stands for all. */
const cases = fixtures.filter(({ name }) => !name.startsWith("convolutions at opset"));

/** The model in a folder, and a target in another, where its external data has room. */
function place(made: TestModel): { readonly path: string; readonly target: string } {
  mkdirSync(folder.file("out"));
  return { path: folder.write("model.onnx", made), target: folder.file("out/pruned.onnx") };
}

/** Files of a model: the main one and its external data, original beside saved. */
function filePairs(made: TestModel, path: string, target: string): [name: string, before: Buffer, after: Buffer][] {
  const names = ["", ...made.external.map(({ location }) => location)];
  return names.map((name) => {
    const original = name === "" ? path : join(dirname(path), name);
    const saved = name === "" ? target : join(dirname(target), name);
    return [name === "" ? basename(path) : name, readFileSync(original), readFileSync(saved)];
  });
}

/** Every element of a weight as exact numbers. */
function numbers(elements: StoredElements): Float64Array {
  const all = new Float64Array(elements.size);
  for (let start = 0; start < elements.size; start += blockElements) {
    const count = Math.min(blockElements, elements.size - start);
    elements.readExact(start, count, all.subarray(start, start + count));
  }
  return all;
}

/** The numbers of every layer of the model at `path`. */
function layersOf(path: string): { readonly weight: PrunableWeight; readonly values: Float64Array }[] {
  return reading(path, ({ source, search }) =>
    search.weights.map((weight) => ({ weight, values: numbers(storedElements(source, weight)) })),
  );
}

describe.each(cases)("$name", ({ make }) => {
  test("no byte outside the pruned weights changes, and the provenance is all that is added", async () => {
    const made = make();
    const { path, target } = place(made);
    await save(saveParams(path, { target }), quietContext());
    const layers = layersOf(path);
    for (const [name, before, after] of filePairs(made, path, target)) {
      const file = name === "model.onnx" ? path : join(dirname(path), name);
      const masked = Buffer.from(after.subarray(0, before.length));
      for (const { weight } of layers) {
        const { tensor } = weight;
        if (tensor.path === file) before.copy(masked, tensor.offset, tensor.offset, tensor.offset + tensor.length);
      }
      expect(Buffer.compare(masked, before), name).toBe(0);
      const added = fromBinary(ModelProtoSchema, new Uint8Array(after.subarray(before.length)));
      expect(added).toEqual(create(ModelProtoSchema, { metadataProps: added.metadataProps }));
      expect(added.metadataProps.map(({ key }) => key)).toEqual(file === path ? provenanceKeys : []);
    }
    const whole = fromBinary(ModelProtoSchema, new Uint8Array(readFileSync(target)));
    expect(whole.metadataProps.map(({ key }) => key)).toEqual([
      ...made.proto.metadataProps.map(({ key }) => key),
      ...provenanceKeys,
    ]);
  });

  test("exactly the weights that the mask removes become 0, the others stay what they are", async () => {
    const { path, target } = place(make());
    const report = await save(saveParams(path, { target, recipe: { sparsity: 0.7 } }), quietContext());
    const before = layersOf(path);
    const after = layersOf(target);
    expect(after.map(({ weight }) => weight.id)).toEqual(before.map(({ weight }) => weight.id));
    const total = before.reduce((sum, { values }) => sum + values.length, 0);
    expect(report.prunable).toBe(total);
    expect(report.kept).toBe(keptCount(total, 0.7));
    let weakestKept = Infinity;
    let strongestRemoved = 0;
    before.forEach(({ values, weight }, l) => {
      let zeros = 0;
      values.forEach((value, i) => {
        const now = after[l]!.values[i]!;
        if (now === 0) {
          zeros++;
          strongestRemoved = Math.max(strongestRemoved, Math.abs(value));
        } else {
          weakestKept = Math.min(weakestKept, Math.abs(value));
          if (!Object.is(now, value)) throw new Error(`${weight.id}[${i}] became ${now}, was ${value}`);
        }
      });
      expect(report.layers[l]).toEqual({
        id: weight.id,
        parameters: values.length,
        kept: report.layers[l]!.kept,
        zeros,
      });
      expect(zeros).toBeGreaterThanOrEqual(values.length - report.layers[l]!.kept);
    });
    expect(strongestRemoved).toBeLessThanOrEqual(weakestKept);
  });

  test("without metadata every file keeps its length", async () => {
    const made = make();
    const { path, target } = place(made);
    await save(saveParams(path, { target, metadata: false }), quietContext());
    for (const [name, before, after] of filePairs(made, path, target)) expect(after.length, name).toBe(before.length);
  });

  test("sparsity 0 without metadata is a copy", async () => {
    const made = make();
    const { path, target } = place(made);
    await save(saveParams(path, { target, metadata: false, recipe: { sparsity: 0 } }), quietContext());
    for (const [name, before, after] of filePairs(made, path, target)) {
      expect(Buffer.compare(after, before), name).toBe(0);
    }
  });
});
