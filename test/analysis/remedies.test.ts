/** Remedies: what the job says of each is what an analysis by its recipe says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import type { RemediesReport } from "../../server/protocol/insights.js";
import { defaultRecipe, parseRecipe, quotas, type Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { remedies } from "../../server/src/analysis/remedies.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { model, node, tensor, value, weight } from "../support/models.js";
import { ffnn } from "../support/networks/ffnn.js";
import { NetworkWriter, type Signal } from "../support/networks/network-writer.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

/** A chaotic network of 12 layers on synthetic samples: at 97 % some of its layers are gone. */
const recipe: Recipe = { ...defaultRecipe, criterion: "snip", sparsity: 0.97, batch: 16 };
let path = "";
let found: RemediesReport;

const asked = (change: Partial<Recipe>, budget = 60, context: JobContext = quietContext()): Promise<RemediesReport> =>
  remedies({ uri: path, path, recipe: { ...recipe, ...change }, budget }, context);

beforeAll(async () => {
  path = folder.write("model.onnx", ffnn({ activation: "Tanh", sigmaW: 2.5, depth: 12, width: 16 }).bytes);
  found = await asked({});
});

describe("every remedy of a chaotic network", () => {
  it("is computed: nothing is skipped", () => {
    expect(found.skipped).toEqual([]);
    expect(found.remedies.map(({ kind }) => kind).sort()).toEqual([
      ...Array<string>(4).fill("criterion"),
      "exclude",
      "floor",
      "initialisation",
      ...Array<string>(4).fill("quota"),
      "schedule",
    ]);
    expect(found.collapsed).toBeGreaterThan(0);
  });

  it("has the figures that an analysis by its recipe has", async () => {
    for (const { recipe: with_, criticalSparsity, collapsed, title } of found.remedies) {
      const { report } = await analyze({ uri: path, path, recipe: parseRecipe(with_) }, quietContext());
      expect(report.criticalSparsity, title).toBe(criticalSparsity);
      expect(report.layers.filter(({ kept }) => kept === 0).length, title).toBe(collapsed);
    }
  });

  it("stands in order: s_cr, then layers that are gone", () => {
    found.remedies.slice(1).forEach((one, i) => {
      const before = found.remedies[i]!;
      expect(one.criticalSparsity!).toBeLessThanOrEqual(before.criticalSparsity!);
      if (one.criticalSparsity === before.criticalSparsity)
        expect(one.collapsed).toBeGreaterThanOrEqual(before.collapsed);
    });
  });

  it("says what it did, for better and for worse", () => {
    for (const { words, criticalSparsity, collapsed } of found.remedies) {
      const verdict = /It makes things worse here|It changes nothing here/.test(words);
      const better =
        criticalSparsity! > found.criticalSparsity! ||
        (criticalSparsity === found.criticalSparsity && collapsed < found.collapsed);
      expect(verdict, words).toBe(!better);
      expect(words).toMatch(/Computed: s_cr [\d.]+ % before, [\d.]+ % with it; \d+ layers? (is|are) gone at 97 %/);
    }
  });

  it("a floor keeps every layer that was gone", () => {
    const floor = found.remedies.find(({ kind }) => kind === "floor")!;
    expect(Object.keys(floor.recipe.floors)).toHaveLength(found.collapsed);
    expect(floor.collapsed).toBe(0);
    expect(floor.criticalSparsity!).toBeGreaterThan(recipe.sparsity);
  });

  it("helps as known: another initialisation and rounds", () => {
    for (const kind of ["initialisation", "schedule"])
      expect(found.remedies.find((one) => one.kind === kind)!.criticalSparsity!).toBeGreaterThan(
        found.criticalSparsity!,
      );
  });
});

it("says of ReLU that σ_w is not what makes layers collapse, and computes it all the same", async () => {
  const relu = folder.write("relu.onnx", ffnn({ activation: "Relu", sigmaW: 2, depth: 6, width: 8 }).bytes);
  const report = await remedies(
    { uri: relu, path: relu, recipe: { ...recipe, criterion: "magnitude" }, budget: 60 },
    quietContext(),
  );
  const drawn = report.remedies.find(({ kind }) => kind === "initialisation")!;
  expect(drawn.words).toMatch(/positively homogeneous.*little is to be expected\. Computed: s_cr/);
  const tanh = found.remedies.find(({ kind }) => kind === "initialisation")!;
  expect(tanh.words).not.toMatch(/homogeneous/);
});

it("does not offer what the recipe has", async () => {
  const { remedies: offered, skipped } = await asked(
    { criterion: "magnitude", quota: "erk", eocInit: { sigmaB: 0.2, scheme: "normal", force: true } },
    0,
  );
  const all = [...offered, ...skipped];
  expect(all.filter(({ kind }) => kind === "quota")).toHaveLength(quotas.length - 1);
  // Magnitude looks at no network: rounds would change nothing.
  expect(all.some(({ kind }) => ["initialisation", "schedule", "stable-resnet"].includes(kind))).toBe(false);
  expect(all.some(({ title }) => title.includes("Magnitude"))).toBe(false);
});

describe("the time", () => {
  it("that is over is said of each remedy", async () => {
    const none = await asked({}, 0);
    expect(none.remedies).toEqual([]);
    expect(none.skipped.length).toBe(found.remedies.length);
    for (const { reason } of none.skipped) expect(reason).toBe("It did not fit into 0 s.");
    expect(none.criticalSparsity).toBe(found.criticalSparsity);
  });

  it("ends a remedy that has begun", async () => {
    // The clock stands at an hour once the iterative schedule runs.
    const late = performance.now() + 3.6e6;
    const clock = performance.now.bind(performance);
    let over = false;
    performance.now = () => (over ? late : clock());
    try {
      const context: JobContext = {
        ...quietContext(),
        progress: ({ stage }) => {
          if (/rounds: Scoring/.test(stage)) over = true;
        },
      };
      const cut = await asked({}, 600, context);
      expect(cut.remedies.length + cut.skipped.length).toBe(found.remedies.length);
      // SynFlow's 200 rounds would come after it.
      expect(cut.skipped.map(({ kind }) => kind)).toEqual(["schedule", "criterion"]);
      expect(cut.skipped[1]!.title).toContain("SynFlow");
    } finally {
      performance.now = clock;
    }
  });

  it("is the person's: a cancelled job ends", async () => {
    let checks = 0;
    const context: JobContext = {
      ...quietContext(),
      checkpoint: () =>
        ++checks > 40 ? Promise.reject(new PruneScopeError("cancelled", "Cancelled.")) : Promise.resolve(),
    };
    await expect(asked({}, 60, context)).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("what cannot be tried", () => {
  it("says why: criteria whose gradients the model cuts off, and the only layer left dense", async () => {
    const one = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("TopK", ["h", "k"], ["v", "y"], { axis: 1 })],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "int64", [2, 3])],
        initializers: [weight("w", [6, 8], 1), tensor("k", "int64", [1], [3])],
      },
    });
    const cut = folder.write("cut.onnx", one);
    const report = await remedies(
      { uri: cut, path: cut, recipe: { ...recipe, criterion: "magnitude" }, budget: 60 },
      quietContext(),
    );
    const reasons = new Map(
      report.skipped.map(({ title, reason }) => [title.split(" ").slice(0, 3).join(" "), reason]),
    );
    expect(reasons.get("Score by SNIP")).toMatch(/gradient|output/);
    expect(reasons.get("Score by GraSP")).toBe(reasons.get("Score by SNIP"));
    expect(reasons.get('Leave "w" dense')).toBe("It is the only layer that is pruned.");
    const floor = report.remedies.find(({ kind }) => kind === "floor")!;
    expect(floor.criticalSparsity).toBeNull();
    expect(floor.words).toContain("none that can go with it");
    expect(report.remedies[0]).toBe(floor);
  });

  it("is Stable ResNet without residual blocks; with them it is computed, whatever comes of it", async () => {
    const w = new NetworkWriter(1);
    let h: Signal = w.linear({ name: "x", channels: 12, size: 1, power: 1 }, 12);
    for (let block = 0; block < 4; block++) h = w.add(h, w.linear(w.relu(h), 12));
    const { bytes } = w.finish({ opset: 13, shape: [4, 12], logits: w.linear(h, 5) });
    const residual = folder.write("residual.onnx", bytes);
    const report = await remedies(
      { uri: residual, path: residual, recipe: { ...recipe, criterion: "magnitude" }, budget: 60 },
      quietContext(),
    );
    const stable = report.remedies.find(({ kind }) => kind === "stable-resnet")!;
    expect(stable.title).toContain("√4");
    // Magnitudes do not see the branches' scale.
    expect(stable.criticalSparsity).toBe(report.criticalSparsity);
    expect(stable.words).toContain("It changes nothing here.");
    expect(found.remedies.some(({ kind }) => kind === "stable-resnet")).toBe(false);
  });
});
