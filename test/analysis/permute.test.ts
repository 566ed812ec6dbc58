/**
 * Permutation as a step of preparing a model: what a pattern keeps grows, the dense function stays, a recipe with its
 * steps is repeated to the byte, and what cannot be proved is not saved.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { NofM, Recipe } from "../../server/protocol/recipe.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { SaveReport } from "../../server/protocol/report.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { keptScoreOf } from "../../server/src/analysis/permutation/kept-share.js";
import { scoreRows } from "../../server/src/analysis/permutation/score-rows.js";
import { withPrepared } from "../../server/src/analysis/prepared-model.js";
import { save } from "../../server/src/analysis/save.js";
import { arrayField, storedElements } from "../../server/src/formats/stored-elements.js";
import { ChannelSet } from "../../server/src/graph/channels/sets.js";
import * as elementwise from "../../server/src/graph/channels/rules/elementwise.js";
import { groupLayout } from "../../server/src/pruning/pattern/layout.js";
import { syntheticInput } from "../../server/src/runtime/inputs.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { convNet, mlp, model, node, normals, tensor, value } from "../support/models.js";
import { bottlenecks, denseBlock, inception, resnext, transformer, vgg } from "../support/networks/channel-networks.js";
import { relativeDifference, runBytes } from "../support/run-model.js";

const folder = new ModelFolder();
let context: JobContext = quietContext();
beforeEach(() => {
  context = quietContext(folder.place());
});
afterAll(() => {
  folder.dispose();
});

const pattern: NofM = { n: 2, m: 4 };
const recipe: Partial<Recipe> = { sparsity: 0, pattern, permute: { seconds: 0.05 } };

const saved = (path: string, more: Partial<Recipe> = {}, target = folder.file("out.onnx")): Promise<SaveReport> =>
  save(saveParams(path, { target, recipe: { ...recipe, ...more } }), context);

/** The prepared, dense model against the original, on the same input. */
const densely = (path: string, more: Partial<Recipe> = {}): Promise<number> =>
  withPrepared(path, { ...defaultRecipe, ...recipe, ...more }, context, async (open) => {
    const { feeds } = await syntheticInput(open.model.graph.inputs, {}, 5);
    return relativeDifference(await runBytes(path, feeds), await runBytes(open.source.main, feeds));
  });

/** Σ over the groups along axis 1 of [out, in, inner] of the n highest, by sorting; over the sum of all. */
function shareBySorting(values: readonly number[], shape: readonly number[], { n, m }: NofM): number {
  const [outputs, inputs, ...rest] = shape as [number, number, ...number[]];
  const inner = rest.reduce((product, one) => product * one, 1);
  let kept = 0;
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inner; i++)
      for (let first = 0; first < inputs; first += m) {
        const group = Array.from({ length: m }, (_, k) => Math.abs(values[(o * inputs + first + k) * inner + i]!));
        kept += group
          .sort((a, b) => b - a)
          .slice(0, n)
          .reduce((sum, one) => sum + one, 0);
      }
  return kept / values.reduce((sum, one) => sum + Math.abs(one), 0);
}

/** Weights of a model by layer. */
const weightsOf = (path: string): Promise<Map<string, { shape: readonly number[]; values: number[] }>> =>
  withModel(path, ({ source, search }) =>
    Promise.resolve(
      new Map(
        search.weights.map((weight) => {
          const values = new Float64Array(weight.size);
          storedElements(source, weight).readExact(0, weight.size, values);
          return [weight.id, { shape: weight.shape, values: [...values] }] as const;
        }),
      ),
    ),
  );

describe("a recipe with a permutation", () => {
  it.each(Object.entries({ bottlenecks, denseBlock, inception, resnext }))(
    "keeps more of the score of %s under the pattern, in every layer what sorting its groups gives",
    async (_, bytes) => {
      const path = folder.write("model.onnx", bytes());
      const { permutation, layers: written } = await saved(path);
      const original = await weightsOf(path);
      const prepared = await withPrepared(path, { ...defaultRecipe, ...recipe }, context, (open) =>
        weightsOf(open.source.main),
      );
      let [before, after] = [0, 0];
      for (const layer of permutation!.layers) {
        const [old, now] = [original.get(layer.id)!, prepared.get(layer.id)!];
        // Both are sums of float32 scores in float64.
        expect(layer.before).toBeCloseTo(shareBySorting(old.values, old.shape, pattern), 12);
        expect(layer.after).toBeCloseTo(shareBySorting(now.values, now.shape, pattern), 12);
        // The same as the mask's own count, and held by the file.
        const { retained, groups, held } = written.find(({ id }) => id === layer.id)!.pattern!;
        expect(retained).toBeCloseTo(layer.after, 12);
        expect(held).toBe(groups);
        before += layer.before;
        after += layer.after;
      }
      expect(after).toBeGreaterThan(before);
      // Every layer is in one of the lists.
      const { layers, left } = permutation!;
      expect(new Set([...layers, ...left].map(({ id }) => id))).toEqual(new Set(original.keys()));
    },
  );

  it.each(Object.entries({ bottlenecks, resnext, transformer, vgg }))(
    "leaves the dense %s the same function",
    async (_, bytes) => {
      // Sums in another order: 6e-8 a step.
      expect(await densely(folder.write("model.onnx", bytes()))).toBeLessThan(1e-5);
    },
  );

  it("names every tensor that it moves, and says what was run as a proof", async () => {
    const path = folder.write("model.onnx", bottlenecks());
    const { edits, permutation } = await saved(path);
    const [edit] = edits;
    expect(edit!.edit).toBe("permute");
    expect(edit!.measured).toHaveLength(2);
    expect(edit!.measured[0]).toMatch(/^Run on synthetic values .* computes what it did/);
    const named = new Set(edit!.changes.map(({ name }) => name));
    const target = await withPrepared(path, { ...defaultRecipe, ...recipe }, context, (open) =>
      Promise.resolve(readFileSync(open.source.main)),
    );
    const original = readFileSync(path);
    await withModel(path, ({ model: read }) => {
      for (const { name, tensor: place } of read.graph.constants.values()) {
        const [a, b] = [original, target].map((file) => file.subarray(place.offset, place.offset + place.length));
        expect(a!.equals(b!), name).toBe(!named.has(name));
      }
      return Promise.resolve();
    });
    expect(permutation!.left.map(({ id }) => id)).toContain("conv0.weight");
    expect(Object.keys(permutation!.moves)).toEqual(["conv0.weight", "conv15.weight"]);
  });

  it("is repeated to the byte from the recipe that was saved with it, without a cache", async () => {
    const path = folder.write("model.onnx", bottlenecks());
    const first = await saved(path, {}, folder.file("first.onnx"));
    expect(first.recipe.permute!.moves).toEqual(first.permutation!.moves);
    context = quietContext();
    // The time that it may take does not matter any more.
    const again = { ...first.recipe, permute: { ...first.recipe.permute!, seconds: 0.01 } };
    await save(saveParams(path, { target: folder.file("again.onnx"), metadata: false, recipe: again }), context);
    const bytes = readFileSync(path).length;
    const [one, two] = ["first.onnx", "again.onnx"].map((name) => readFileSync(folder.file(name)).subarray(0, bytes));
    expect(one!.equals(two!)).toBe(true);
  });

  it("is searched once for analysis and saving, and is in the notes", async () => {
    const path = folder.write("model.onnx", bottlenecks());
    const { report, resultId } = await analyze({ uri: path, path, recipe: { ...defaultRecipe, ...recipe } }, context);
    expect(report.notes[0]).toMatch(/^Channels of \d+ sets reordered for 2:4/);
    const { edits } = await saved(path);
    expect(edits[0]!.words).toBe(report.notes[0]);
    const other = await analyze({ uri: path, path, recipe: { ...defaultRecipe, sparsity: 0, pattern } }, context);
    expect(other.resultId).not.toBe(resultId);
  });

  it("goes before Stable ResNet, folded into the same orders", async () => {
    const path = folder.write("model.onnx", bottlenecks());
    for (const stableResnet of ["fold", "mul"] as const) {
      const { edits } = await saved(path, { stableResnet }, folder.file(`${stableResnet}.onnx`));
      expect(edits.map(({ edit }) => edit)).toEqual(["permute", "stable-resnet"]);
      expect(edits[1]!.measured[0]).toContain("computes what the model with scaled branches does");
    }
  });

  it("leaves excluded layers out of what decides", async () => {
    const path = folder.write("model.onnx", bottlenecks());
    const { permutation } = await saved(path);
    const asked = permutation!.layers[0]!.id;
    const others = await saved(path, { exclude: [asked] });
    expect(others.permutation!.left).toContainEqual({ id: asked, reason: "it is left dense" });
  });
});

describe("what cannot be done", () => {
  it("is said where nothing may move, and saved all the same", async () => {
    const path = folder.write("model.onnx", mlp({ widths: [8, 8] }));
    const { permutation, edits } = await saved(path);
    expect(permutation).toMatchObject({ layers: [], moves: {} });
    expect(edits[0]!.changes).toEqual([]);
    expect(permutation!.left[0]!.reason).toContain("it is the model's input");
  });

  it("refuses masks and scores of the original order", async () => {
    const path = folder.write("model.onnx", convNet());
    await expect(saved(path, { mask: folder.file("mask.npz") })).rejects.toMatchObject({ code: "bad-request" });
  });

  it("saves nothing of a model that computes something else", async () => {
    const path = folder.write("model.onnx", bottlenecks());
    const forgetful = vi.spyOn(elementwise.elementwise, "apply").mockImplementation((site) => {
      site.node.inputs.forEach((_, input) => site.carryAll(input));
      site.give(0, site.carryAll(0));
      return null;
    });
    const target = folder.file("wrong.onnx");
    await expect(saved(path, {}, target)).rejects.toThrow(/does not compute what .* Nothing was saved/);
    forgetful.mockRestore();
    expect(() => readFileSync(target)).toThrow();
  });

  it("saves nothing of a model that runs on nothing, unless it is given data that it runs on", async () => {
    // The rows of a table that is only so long: synthetic whole numbers are 0 and 1, and the table has one row.
    const narrow = model({
      opset: 17,
      graph: {
        nodes: [
          node("Gather", ["table", "i"], ["e"]),
          node("MatMul", ["e", "first"], ["h"]),
          node("MatMul", ["h", "second"], ["y"]),
        ],
        inputs: [value("i", "int64", ["batch", 40])],
        outputs: [value("y", "float", ["batch", 40, 5])],
        initializers: [
          tensor("table", "float", [1, 4], normals(1, 4)),
          tensor("first", "float", [4, 8], normals(2, 32)),
          tensor("second", "float", [8, 5], normals(3, 40)),
        ],
      },
    });
    const path = folder.write("model.onnx", narrow);
    await expect(saved(path)).rejects.toThrow(/^Nothing is saved, because it cannot be proved by running/);
    const data = folder.write("data.npz", await npz({ i: counted("int64", [3, 40], () => 0) }));
    const { edits } = await saved(path, { data });
    expect(edits[0]!.measured).toHaveLength(1);
    expect(edits[0]!.measured[0]).toContain("data.npz");
  });
});

describe("figures", () => {
  it("are sums over rows, whatever lies behind the reduction axis", async () => {
    const shape = [3, 8, 5];
    const values = normals(4, 120).map(Math.abs);
    const order = Uint32Array.of(7, 2, 0, 5, 1, 3, 6, 4);
    const pause = (): Promise<void> => Promise.resolve();
    const kept = await keptScoreOf(
      arrayField(Float32Array.from(values)),
      groupLayout(shape, 1, 4),
      { by: null, orders: [order] },
      pattern,
      pause,
    );
    const moved = values.map((_, at) => {
      const [o, c, i] = [Math.floor(at / 40), Math.floor(at / 5) % 8, at % 5];
      return values[(o * 8 + order[c]!) * 5 + i]!;
    });
    // Scores are rounded to float32.
    expect(kept.before / kept.total).toBeCloseTo(shareBySorting(values, shape, pattern), 6);
    expect(kept.after / kept.total).toBeCloseTo(shareBySorting(moved, shape, pattern), 6);
    const rows = Array.from({ length: 15 }, (_, r) =>
      Array.from({ length: 8 }, (_, c) => values[(Math.floor(r / 5) * 8 + c) * 5 + (r % 5)]!),
    );
    const best = rows.flatMap((row) => [...row].sort((a, b) => b - a).slice(0, 4)).reduce((sum, one) => sum + one, 0);
    expect(kept.best).toBeCloseTo(best, 4);

    const set = { name: "s", set: new ChannelSet(4), columns: [] };
    const layout = groupLayout(shape, 1, 4);
    const columns = [{ layer: 0, layout, first: 4, part: 1, parts: 3 }];
    const field = [arrayField(Float32Array.from(values))];
    const made = await scoreRows({ ...set, columns }, field, pause);
    expect(made).toMatchObject({ rows: 5, columns: 4, stride: 1 });
    expect([...made.scores]).toEqual(rows.slice(5, 10).flatMap((row) => row.slice(4).map(Math.fround)));
    const some = await scoreRows({ ...set, columns }, field, pause, 5 * 4 * 2);
    expect(some).toMatchObject({ rows: 3, stride: 2 });
    expect([...some.scores]).toEqual([5, 7, 9].flatMap((r) => rows[r]!.slice(4).map(Math.fround)));
  });
});
