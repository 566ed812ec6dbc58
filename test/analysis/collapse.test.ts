/** The job `collapse`: effective weights, cuts and branches against counted paths, and what is said of odd models. */
import { afterAll, describe, expect, it } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import type { CollapseReport, EffectiveReport } from "../../server/protocol/insights.js";
import { defaultRecipe, keptCount, type Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { collapse } from "../../server/src/analysis/collapse.js";
import { OrderedScores, type Place } from "../../server/src/pruning/order.js";
import { pathCases } from "../cases/path-networks.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { arrayLayer, sortedPlaces } from "../support/arrays.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { convNet, mlp, model, node, tensor, type TestModel, value, weight } from "../support/models.js";
import { type Kept, PathNetwork } from "../support/path-network.js";

const folder = new ModelFolder();
afterAll(() => folder.dispose());

const seed = 4;

function collapsed(made: TestModel, changes: Partial<Recipe> = {}): Promise<CollapseReport> {
  const path = folder.write("model.onnx", made);
  return collapse({ uri: path, path, recipe: { ...defaultRecipe, seed, ...changes } }, quietContext());
}

const effectiveOf = ({ effective }: CollapseReport): EffectiveReport => {
  if ("code" in effective) throw new Error(effective.message);
  return effective;
};

/** What is removed first, by sorting. */
function orderOf(network: PathNetwork): { readonly order: readonly Place[]; readonly names: readonly string[] } {
  const names = Object.keys(network.weights);
  const layers = names.map((name) => arrayLayer(name, network.weights[name]!.map(Math.abs)));
  const scores = new OrderedScores(layers, false, true, seed);
  const order = sortedPlaces(
    scores,
    names.map((_, l) => l),
  );
  return { order, names };
}

/** Masks of a network by the number of removed weights, globally. */
function masksOf(network: PathNetwork): { readonly total: number; readonly mask: (removed: number) => Kept } {
  const { order, names } = orderOf(network);
  const mask = (removed: number): Kept => {
    const kept = network.whatIsNotZero();
    for (const { layer, index } of order.slice(0, removed)) kept[names[layer]!]![index] = 0;
    return kept;
  };
  return { total: order.length, mask };
}

const total = (flags: Uint8Array): number => flags.reduce((sum, one) => sum + one, 0);

/** The first number of removed weights at which `alive` says no, one after the other; null where it never does. */
function bruteForce(network: PathNetwork, alive: (kept: Kept) => boolean): number | null {
  const masks = masksOf(network);
  for (let removed = 0; removed <= masks.total; removed++) if (!alive(masks.mask(removed))) return removed;
  return null;
}

it.each(pathCases)("$title: cut where counting paths says", async ({ make }) => {
  // Whole numbers: many ties, which the seed breaks, and zeros that are kept at first.
  const network = make(7, true);
  const { total: size, mask } = masksOf(network);
  const first = bruteForce(network, (kept) => network.count(kept).connected);
  const sparsity = 0.85;
  const found = effectiveOf(await collapsed(network.made(), { sparsity }));
  const { effective } = network.count(mask(size - keptCount(size, sparsity)));
  expect(Object.fromEntries(found.layers.map((layer) => [layer.id, layer.effective]))).toEqual(
    Object.fromEntries(Object.entries(effective).map(([id, flags]) => [id, total(flags)])),
  );
  const kept = Object.values(effective).reduce((sum, flags) => sum + total(flags), 0);
  expect(found).toMatchObject({ kept, prunable: size, sparsity: 1 - kept / size });
  expect(found.cutSparsity).toBe(first === null ? null : first / size);
});

describe("branches", () => {
  /** Small weights in two branches of three, so that they die before the trunk. */
  const network = (): { network: PathNetwork; branches: string[][] } => {
    const n = new PathNetwork(8);
    let x = n.conv(n.input(2, 4), 4);
    for (let i = 0; i < 3; i++) x = n.join("Add", x, n.conv(n.map(n.conv(x, 3), "Relu"), 4));
    n.output(n.dense(n.flatten(x), 3));
    const branches = [1, 3, 5].map((first) => [`w${first}`, `w${first + 1}`]);
    for (const name of branches.slice(1).flat()) n.scale(name, 0.05);
    return { network: n, branches };
  };

  it("die where counting paths says, while the trunk is connected", async () => {
    const { network: n, branches } = network();
    const { total: size, mask } = masksOf(n);
    const aliveIn = (kept: Kept, names: readonly string[]): boolean => {
      const { effective } = n.count(kept);
      return names.some((name) => total(effective[name]!) > 0);
    };
    const first = branches.map((names) => bruteForce(n, (kept) => aliveIn(kept, names))!);
    const cut = bruteForce(n, (kept) => n.count(kept).connected)!;
    const sparsity = (Math.max(...first.slice(1)) + 5) / size;
    expect(Math.max(...first.slice(1)) + 5).toBeLessThan(Math.min(first[0]!, cut));
    const report = await collapsed(n.made(), { sparsity });
    const found = effectiveOf(report);
    expect(found.connected).toBe(true);
    expect(found.cutSparsity).toBe(cut / size);
    expect(found.branches.map((branch) => branch.dead)).toEqual([false, true, true]);
    expect(found.branches.map((branch) => branch.cutSparsity)).toEqual(first.map((removed) => removed / size));
    expect(found.notes).toContainEqual(
      expect.stringMatching(/^2 of 3 residual branches have no effective weight left/),
    );
    // What is left in the dead branches is no comfort: the risk says so.
    const kept = mask(size - keptCount(size, sparsity));
    const left = branches
      .slice(1)
      .flat()
      .filter((name) => total(kept[name]!) > 0);
    expect(left.length).toBeGreaterThan(0);
    const ids = found.layers.map(({ id }) => id);
    for (const name of left) expect(report.risks[ids.indexOf(name)]).toBe("high");
  });

  it("with an identity all the way the network is never cut", async () => {
    const n = new PathNetwork(2);
    const x = n.input(4);
    n.output(n.join("Add", x, n.dense(n.map(n.dense(x, 6), "Relu"), 4)));
    const { cutSparsity, connected, branches, notes } = effectiveOf(await collapsed(n.made(), { sparsity: 0.99 }));
    expect({ cutSparsity, connected }).toEqual({ cutSparsity: null, connected: true });
    expect(branches).toHaveLength(1);
    expect(branches[0]!.dead).toBe(true);
    const dies = bruteForce(n, (kept) => Object.values(n.count(kept).effective).some((flags) => total(flags) > 0))!;
    expect(branches[0]!.cutSparsity).toBe(dies / 48);
    expect(notes).toContainEqual(expect.stringMatching(/^A way without prunable weights/));
  });
});

describe("layer by layer", () => {
  it("a layer's own size says when it dies, and counting paths when the network is cut", async () => {
    const network = pathCases[0]!.make(3);
    const { order, names } = orderOf(network);
    const sizes = names.map((name) => network.weights[name]!.length);
    const kept = (s: number): Kept => {
      const flags = network.whatIsNotZero();
      names.forEach((name, l) => {
        const own = order.filter((place) => place.layer === l);
        for (const { index } of own.slice(0, sizes[l]! - keptCount(sizes[l]!, s))) flags[name]![index] = 0;
      });
      return flags;
    };
    // Every sparsity at which some layer keeps one weight less.
    const edges = sizes
      .flatMap((size) => Array.from({ length: size }, (_, j) => 1 - (j + 0.5) / size))
      .sort((a, b) => a - b);
    const first = edges.find((edge) => !network.count(kept(edge + 1e-9)).connected)!;
    const report = await collapsed(network.made(), { scope: "layer", sparsity: 0.8 });
    const { cutSparsity, layers } = effectiveOf(report);
    expect(Math.abs(cutSparsity! - first)).toBeLessThan(1e-12);
    const { effective } = network.count(kept(0.8));
    expect(layers.map((layer) => layer.effective)).toEqual(layers.map(({ id }) => total(effective[id]!)));
    // The smaller the layer, the sooner it is gone.
    const bySize = names.map((id, l) => ({ id, size: sizes[l]! })).sort((a, b) => a.size - b.size);
    expect(report.order.map(({ id }) => id)).toEqual(bySize.map(({ id }) => id));
    report.order.forEach(({ sparsity }, i) => {
      expect(keptCount(bySize[i]!.size, sparsity)).toBe(0);
      expect(keptCount(bySize[i]!.size, sparsity - 1e-12)).toBe(1);
    });
    expect(report.criticalSparsity).toBe(report.order[0]!.sparsity);
    expect(report.maxSparsity!).toBeLessThanOrEqual(report.criticalSparsity!);
  });
});

describe("direct collapse", () => {
  it("is that of the report of the same recipe, in the order in which layers die", async () => {
    const path = folder.write("model.onnx", convNet());
    const params = { uri: path, path, recipe: defaultRecipe };
    const [found, { report, resultId }] = await Promise.all([
      collapse(params, quietContext()),
      analyze(params, quietContext()),
    ]);
    const { order, criticalSparsity, maxSparsity, noSignal, sparsity } = found;
    const expected = report.layers.map(({ id, criticalSparsity: at }) => ({ id, sparsity: at! }));
    expect(order).toEqual(expected.sort((a, b) => a.sparsity - b.sparsity));
    expect({ criticalSparsity, maxSparsity }).toEqual({
      criticalSparsity: report.criticalSparsity,
      maxSparsity: report.maxSparsity,
    });
    expect({ noSignal, sparsity, resultId: found.resultId }).toEqual({ noSignal: [], sparsity: 0.9, resultId });
  });
});

/** Every number in `value`. */
function numbersIn(value: unknown): number[] {
  const numbers: number[] = [];
  JSON.stringify(value, (_, one: unknown) => (typeof one === "number" && numbers.push(one), one));
  return numbers;
}

describe("odd models", () => {
  const dense = (w: ReturnType<typeof tensor>, ...rest: ReturnType<typeof node>[]): TestModel =>
    model({
      opset: 18,
      graph: {
        nodes: [node("MatMul", ["x", "w"], [rest.length === 0 ? "y" : "h"]), ...rest],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", null)],
        initializers: [w],
      },
    });

  it("one layer: cut when it is gone", async () => {
    const report = await collapsed(dense(weight("w", [4, 3], 1)));
    expect(report).toMatchObject({ criticalSparsity: 1, maxSparsity: 1 - 1 / 12, order: [{ id: "w", sparsity: 1 }] });
    expect(effectiveOf(report)).toMatchObject({ kept: 1, prunable: 12, connected: true, cutSparsity: 1, branches: [] });
  });

  it("a layer of zeros: no signal, and nothing gets through as it is", async () => {
    const report = await collapsed(dense(tensor("w", "float", [4, 3], Array<number>(12).fill(0))));
    expect(report).toMatchObject({ noSignal: ["w"], order: [], criticalSparsity: null, risks: ["no-signal"] });
    const found = effectiveOf(report);
    expect(found).toMatchObject({ kept: 0, sparsity: 1, connected: false, cutSparsity: 0 });
    expect(found.notes).toContainEqual(expect.stringMatching(/^Nothing gets through the model as it is/));
    expect(found.notes).toContainEqual("1 kept weight is 0 in the file and effective nowhere.");
    expect(numbersIn(report).every(Number.isFinite)).toBe(true);
  });

  it("an operator without a linear form: the order all the same, and a sentence for the rest", async () => {
    const report = await collapsed(dense(weight("w", [4, 4], 1), node("Einsum", ["h"], ["y"], { equation: "ij->ji" })));
    expect(report.order).toEqual([{ id: "w", sparsity: 1 }]);
    expect(report.effective).toMatchObject({
      code: "unsupported-op",
      message: expect.stringContaining('"w" is left out because SynFlow has no linear form of Einsum') as string,
    });
  });

  it("an operator that the runtime does not know: a sentence", async () => {
    const report = await collapsed(dense(weight("w", [4, 4], 1), node("Fancy", ["h"], ["y"], {}, { domain: "odd" })));
    expect(report.order).toHaveLength(1);
    expect(report.effective).toMatchObject({
      code: expect.any(String) as string,
      message: expect.stringMatching(/\S/) as string,
    });
    expect(report.risks).toHaveLength(1);
  });

  it("numbers that are none: no mask, and a sentence", async () => {
    const report = await collapsed(dense(tensor("w", "float", [4, 1], [NaN, 1, 2, 3])));
    expect(report).toMatchObject({ order: [], criticalSparsity: null, effective: { code: "non-finite" } });
    expect(numbersIn(report).every(Number.isFinite)).toBe(true);
  });

  it("no layers at all", async () => {
    const bare = model({
      graph: {
        nodes: [node("Relu", ["x"], ["y"])],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", null)],
      },
    });
    await expect(collapsed(bare)).rejects.toMatchObject({ code: "missing-data" });
  });

  it("layers that are left dense keep their way open", async () => {
    const everything = { exclude: ["layer0.weight", "layer1.weight"] };
    for (const changes of [everything, { floors: { "layer0.weight": 0.5, "layer1.weight": 0.5 } }]) {
      const report = await collapsed(mlp(), changes);
      expect(effectiveOf(report)).toMatchObject({ connected: true, cutSparsity: null });
      expect(effectiveOf(report).notes).toContainEqual(expect.stringMatching(/^Layers that are left dense/));
      expect(numbersIn(report).every(Number.isFinite)).toBe(true);
    }
    expect(await collapsed(mlp(), everything)).toMatchObject({ order: [], maxSparsity: null });
  });

  it("a weight whose mask has no place in the network is said to be taken as dense", async () => {
    const tied = model({
      graph: {
        nodes: [
          node("Cast", ["d"], ["w"], { to: 1 }),
          node("Add", ["d", "d"], ["more"]),
          node("MatMul", ["x", "w"], ["h"]),
          node("MatMul", ["h", "v"], ["y"]),
        ],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", null), value("more", "double", null)],
        initializers: [
          tensor(
            "d",
            "double",
            [4, 4],
            Array.from({ length: 16 }, (_, i) => i + 1),
          ),
          weight("v", [4, 3], 2),
        ],
      },
    });
    const found = effectiveOf(await collapsed(tied, { sparsity: 0.5 }));
    expect(found.layers).toMatchObject([{ id: "d", effective: null }, { id: "v" }]);
    expect(found.prunable).toBe(12);
    expect(found.notes).toContainEqual('"d" is taken as dense here: the network may be cut before that.');
  });

  it("a cancelled job ends, wherever it is", async () => {
    const path = folder.write("model.onnx", convNet());
    const run = (stop: number): Promise<unknown> => {
      let steps = 0;
      const context = {
        ...quietContext(),
        checkpoint: () =>
          ++steps === stop ? Promise.reject(new PruneScopeError("cancelled", "stop")) : Promise.resolve(),
      };
      return collapse({ uri: path, path, recipe: defaultRecipe }, context).then(
        () => steps,
        (error: unknown) => error,
      );
    };
    const steps = Number(await run(0));
    expect(steps).toBeGreaterThan(20);
    for (const stop of [1, Math.floor(steps / 2), steps]) expect(await run(stop)).toMatchObject({ code: "cancelled" });
  });
});

it("follows a real model, up to the gates in it", async () => {
  const path = realModelPath(realModels.find(({ file }) => file.includes("cls"))!);
  const recipe = { ...defaultRecipe, sparsity: 0.8 };
  const report = await collapse({ uri: path, path, recipe }, quietContext());
  const direct = (await analyze({ uri: path, path, recipe }, quietContext())).report;
  const { layers, branches, connected, cutSparsity, notes } = effectiveOf(report);
  expect(connected).toBe(true);
  expect(cutSparsity!).toBeGreaterThanOrEqual(report.criticalSparsity!);
  for (const [l, { effective }] of layers.entries()) expect(effective ?? 0).toBeLessThanOrEqual(direct.layers[l]!.kept);
  // 18 convolutions make the gates of nine squeeze-and-excitation blocks.
  expect(layers.filter(({ effective }) => effective === null)).toHaveLength(18);
  expect(notes).toContainEqual(expect.stringMatching(/^Paths through 18 layers, .* only feeds a gate/));
  // Branches with gates in them are judged all the same.
  expect(branches.map(({ dead }) => dead)).toEqual(branches.map(() => false));
  for (const branch of branches) expect(branch.cutSparsity!).toBeLessThanOrEqual(cutSparsity!);
  expect(branches).toHaveLength(7);
});
