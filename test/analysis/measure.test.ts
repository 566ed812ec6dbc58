/** The job `measure`: known directions, wide networks against the maps, what is not run again, and sentences for bad input. */
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ErrorData } from "../../server/protocol/errors.js";
import type { MeasureReport, PropagationLayer } from "../../server/protocol/insights.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { measure } from "../../server/src/analysis/measure.js";
import { Sensitivity } from "../../server/src/autodiff/sensitivity.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { convNet, mlp, model, node, normals, recurrent, tensor, type TestModel, value } from "../support/models.js";
import { ffnn, resnet } from "../support/networks/index.js";
import { NetworkWriter, type Signal } from "../support/networks/network-writer.js";

let folder = new ModelFolder();
beforeEach(() => (folder = new ModelFolder()));
afterEach(() => {
  folder.dispose();
});
const gradients = vi.spyOn(Sensitivity.prototype, "gradients");
afterAll(() => {
  gradients.mockRestore();
});

async function measured(
  content: TestModel | Uint8Array,
  recipe: Partial<Recipe> = {},
  context = quietContext(),
): Promise<MeasureReport> {
  const path = folder.write("model.onnx", content);
  const report = await measure(
    { uri: path, path, recipe: { ...defaultRecipe, criterion: "snip", ...recipe }, stabilityRuns: 0 },
    context,
  );
  expectFinite(report);
  return report;
}

/** Every number of a report is one. */
function expectFinite(part: unknown, place = ""): void {
  if (typeof part === "number") expect(Number.isFinite(part), place).toBe(true);
  else if (typeof part === "object" && part !== null)
    for (const [key, inner] of Object.entries(part)) expectFinite(inner, `${place}.${key}`);
}

function found<T extends object>(part: T | ErrorData): T {
  if ("code" in part) throw new Error(part.message);
  return part;
}

describe("a plain network", () => {
  const plain = (activation: "Relu" | "Tanh", sigmaW: number, sigmaB: number): Uint8Array =>
    ffnn({ activation, sigmaW, sigmaB, width: 80, depth: 14, classes: 80 }).bytes;

  it.each([
    // χ is 1.3 and 0.66 in the end: m changes by that a layer, once the variance has settled.
    ["Tanh", 2, "input", "output"],
    ["Tanh", 0.8, "output", "input"],
  ] as const)("of %s with σ_w %s has m growing towards the %s", async (activation, sigmaW, towards, emptied) => {
    const { rate, totalRate, verdict, layers } = found((await measured(plain(activation, sigmaW, 0.2))).conditioning);
    expect(layers).toHaveLength(14);
    for (const { weights, m, total } of layers) expect(total).toBeCloseTo(weights * m, 12);
    expect(towards === "input" ? -rate!.high : rate!.low).toBeGreaterThan(0.1);
    expect(Math.sign(totalRate!.rate)).toBe(Math.sign(rate!.rate));
    expect(verdict).toMatch(
      new RegExp(`^Not well-conditioned .* towards the ${towards} .* empties layers near the ${emptied} first`),
    );
  });

  it("of tanh on the edge of chaos, and of ReLU whatever its σ_w, is consistent with well-conditioned", async () => {
    const words = "Σ w·∂L/∂w is the same in every layer";
    for (const [content, explained] of [
      [plain("Tanh", 1.304146, 0.2), false],
      [plain("Relu", 1, 0), true],
      [plain("Relu", 2, 0), true],
      [plain("Relu", Math.SQRT2, 0.2), false],
    ] as const) {
      const { rate, verdict } = found((await measured(content)).conditioning);
      // Off the edge it is above 0.2.
      expect(Math.abs(rate!.rate)).toBeLessThan(0.1);
      expect(verdict).toMatch(/^Consistent with well-conditioned/);
      expect(verdict.includes(words)).toBe(explained);
    }
  });
});

describe("a wide network", () => {
  const width = 1000;
  /** Relative deviation of the mean of `width` squares of normals. */
  const one = Math.sqrt(2 / width);

  interface Wide {
    readonly sigmaW: number;
    readonly sigmaB: number;
    /** Mean square of the inputs. */
    readonly power: number;
  }

  const settled = (layers: readonly PropagationLayer[]): readonly PropagationLayer[] =>
    layers.filter(({ predicted }) => predicted !== null);

  it.each([
    ["Tanh", 13, { sigmaW: 1.304146, sigmaB: 0.2, power: 0.2776 }],
    ["Relu", 13, { sigmaW: Math.SQRT2, sigmaB: 0, power: 1 }],
    ["Gelu", 20, { sigmaW: 1.5, sigmaB: 0.2, power: 1 }],
  ] as const)("of %s has the maps' variance, correlation and gradient", async (op, opset, wide: Wide) => {
    const { sigmaW, sigmaB, power } = wide;
    const w = new NetworkWriter(5);
    let h: Signal = { name: "x", channels: width, size: 1, power };
    for (let layer = 0; layer < 4; layer++)
      h = w.map(w.linear(h, width, { gain: sigmaW ** 2, biasDeviation: sigmaB }), op);
    const { bytes } = w.finish({ opset, shape: [16, width], logits: w.linear(h, 10) });
    // Inputs in common by half, so that correlations have somewhere to go.
    const [common, own] = [normals(1, width), normals(2, 16 * width)];
    const x = counted("float", [16, width], (i) => Math.sqrt(power / 2) * (common[i % width]! + own[i]!));
    writeFileSync(folder.file("x.npz"), await npz({ x }));
    const { layers } = found((await measured(bytes, { data: folder.file("x.npz"), batch: 16 })).propagation);
    expect(layers).toHaveLength(5);
    expect(settled(layers)).toHaveLength(4);
    settled(layers).forEach(({ id, q, c, backwardGain, predicted }, i) => {
      // The last has 10 outputs only, and no more than that of its own q and c is checked.
      const outputs = i === 3 ? 10 : width;
      // Five deviations of one sample's; of the 16 nothing is taken off, which share half of what they are.
      expect(Math.abs(Math.log(q! / predicted!.q)), `q of ${id}`).toBeLessThan(5 * Math.sqrt(2 / outputs));
      expect(Math.abs(c! - predicted!.c!), `c of ${id}`).toBeLessThan(5 / Math.sqrt(outputs));
      // φ'² varies between neurons: up to E φ'⁴/(E φ'²)² = 2, which doubles the variance.
      const spread = 5 * Math.SQRT2 * one * (i === 3 ? Math.sqrt(width / outputs) : 1);
      expect(Math.abs(Math.log(backwardGain! / predicted!.chi)), `χ of ${id}`).toBeLessThan(spread);
    });
    const errors = settled(layers)
      .slice(0, -1)
      .map(({ q, predicted }) => Math.log(q! / predicted!.q));
    expect(Math.abs(errors.reduce((a, b) => a + b, 0) / errors.length)).toBeLessThan((4 * one) / Math.sqrt(3));
  });

  it("of convolutions of other widths has them too, gradients as norms of samples", async () => {
    const w = new NetworkWriter(6);
    let h: Signal = { name: "x", channels: 48, size: 18, power: 1 };
    for (const channels of [64, 160, 48]) h = w.map(w.conv(h, channels, { pad: 0, gain: 1.5 }), "Tanh");
    const logits = w.conv(h, 40, { kernel: 1, pad: 0, gain: 1 });
    const { bytes } = w.finish({ opset: 13, shape: [4, 48, 18, 18], logits, pixels: [12, 12] });
    const { layers } = found((await measured(bytes, { batch: 4, loss: "half-mean-square" })).propagation);
    expect(layers).toHaveLength(4);
    layers.slice(1).forEach(({ id, q, backwardGain, predicted }, i) => {
      // Of 40 · 576 numbers or more, those of one channel varying together. Found: 0.015 in q, 0.013 in χ.
      expect(Math.abs(Math.log(q! / predicted!.q)), `q of ${id}`).toBeLessThan(0.06);
      // The last layer's gradient is its own output, and theory wants one that is independent of its weights.
      if (i < 2) expect(Math.abs(Math.log(backwardGain! / predicted!.chi)), `χ of ${id}`).toBeLessThan(0.06);
    });
  });
});

describe("BatchNormalization", () => {
  it("is taken in the recipe's mode, by conditioning and propagation alike", async () => {
    const reports = await Promise.all(
      (["auto", "batch", "stored"] as const).map((batchNorm) => measured(convNet(), { batchNorm })),
    );
    expect(reports.map((report) => report.batchNorm)).toEqual(["batch", "batch", "stored"]);
    const [automatic, batch, stored] = reports.map(({ conditioning, propagation }) => ({
      m: found(conditioning).layers.map(({ m }) => m),
      input: found(propagation).layers.map(({ input }) => input),
    }));
    expect(automatic).toEqual(batch);
    expect(batch!.input[1]).not.toBeCloseTo(stored!.input[1]!, 2);
    expect(batch!.m[0]).not.toBeCloseTo(stored!.m[0]!, 6);
  });

  it("of a residual network keeps q in bounds, measured where theory says nothing", async () => {
    const { bytes } = resnet({ depth: 18, width: 4, size: 16, batch: 32, classes: 10 });
    const report = await measured(bytes, { batchNorm: "batch" });
    const { layers } = found(report.propagation);
    const { verdict, rate } = found(report.conditioning);
    expect(layers.length).toBe(found(report.conditioning).layers.length);
    expect(layers.every(({ q, gradient }) => q! > 0 && gradient! > 0)).toBe(true);
    // Between any two layers of a trunk lies a norm.
    expect(layers.every(({ predicted }) => predicted === null)).toBe(true);
    expect(rate!.layers).toBe(layers.length);
    expect(verdict).not.toContain("Σ w·∂L/∂w");
  });
});

it("takes SNIP's scores that an analysis left in the cache", async () => {
  const context = quietContext(folder.file("cache"));
  const path = folder.write("model.onnx", mlp());
  await analyze({ uri: path, path, recipe: { ...defaultRecipe, criterion: "snip", sparsity: 0.5 } }, context);
  gradients.mockClear();
  const other = { ...defaultRecipe, criterion: "magnitude", exclude: ["layer0.weight"] };
  const { conditioning, loss } = await measure({ uri: path, path, recipe: other, stabilityRuns: 0 }, context);
  expect(gradients).not.toHaveBeenCalled();
  expect(found(conditioning).layers).toHaveLength(2);
  expect(loss).toBeGreaterThan(0);
});

describe("bad input", () => {
  it("of one layer has no trend and no gain", async () => {
    const report = await measured(mlp({ widths: [6, 4] }));
    const { rate, ratio, verdict } = found(report.conditioning);
    expect([rate, ratio]).toEqual([null, null]);
    expect(verdict).toContain("Fewer than three layers");
    expect(found(report.propagation).layers).toMatchObject([
      { forwardGain: null, backwardGain: null, predicted: null },
    ]);
  });

  it("with a layer of zeros has no signal in it, and no ratio to it", async () => {
    const zero = mlp({ widths: [6, 8, 8, 4] });
    zero.proto.graph!.initializer[1]!.rawData.fill(0);
    const report = await measured(zero);
    expect(found(report.conditioning).verdict).toMatch(/^3 of 3 layers have no signal/);
    const { layers } = found(report.propagation);
    expect(layers[1]).toMatchObject({ q: 0, c: null, forwardGain: 0, predicted: { q: 0, c: null, chi: 0 } });
    expect(layers[2]).toMatchObject({ forwardGain: null, backwardGain: 0, predicted: null });
  });

  it("without a prunable layer is an error in words, for each part", async () => {
    const empty = model({
      graph: {
        nodes: [node("Relu", ["x"], ["y"])],
        inputs: [value("x", "float", ["n", 2])],
        outputs: [value("y", "float", ["n", 2])],
      },
    });
    const { conditioning, propagation } = await measured(empty);
    expect(conditioning).toMatchObject({ code: "missing-data" });
    expect(found(propagation).layers).toEqual([]);
  });

  it("without an output that a loss fits is an error in words, for both parts", async () => {
    const counts = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("ArgMax", ["h"], ["y"], { axis: 1 })],
        inputs: [value("x", "float", ["n", 3])],
        outputs: [value("y", "int64", null)],
        initializers: [tensor("w", "float", [3, 3], normals(1, 9))],
      },
    });
    const report = await measured(counts);
    expect(report.conditioning).toMatchObject({ code: "unsupported-op" });
    expect(report.propagation).toMatchObject({ code: "unsupported-op" });
    expect(report.loss).toBeNull();
  });

  it("with recurrent layers is conditioned, and says that they are not measured", async () => {
    const { conditioning, propagation } = await measured(recurrent("GRU"));
    expect(found(conditioning).layers).toHaveLength(2);
    expect(found(propagation).layers).toEqual([]);
    expect(found(propagation).notes.join()).toMatch(/^2 of 2 layers are not measured/);
  });

  it("whose loss overflows is an error in words, and its propagation is null where it does", async () => {
    const x = counted("float", [4, 6], () => 1e30);
    writeFileSync(folder.file("x.npz"), await npz({ x }));
    const data = { data: folder.file("x.npz"), loss: "half-mean-square" };
    const report = await measured(mlp({ widths: [6, 8, 4] }), data);
    expect(report.conditioning).toMatchObject({ code: "non-finite" });
    expect(report.loss).toBeNull();
    expect(found(report.propagation).layers[0]!.q).toBeGreaterThan(1e58);
  });

  it("whose gradients are infinite leaves those layers out, by name", async () => {
    // √0 is finite and its derivative is not.
    const infinite = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("Abs", ["h"], ["a"]), node("Sqrt", ["a"], ["y"])],
        inputs: [value("x", "float", ["batch", 2])],
        outputs: [value("y", "float", ["batch", 2])],
        initializers: [tensor("w", "float", [2, 2], normals(1, 4))],
      },
    });
    const zeros = { x: counted("float", [2, 2], () => 0), targets: counted("float", [2, 2], () => 1) };
    writeFileSync(folder.file("zeros.npz"), await npz(zeros));
    const report = await measured(infinite, { data: folder.file("zeros.npz") });
    expect(found(report.conditioning).layers).toEqual([]);
    expect(report.notes.join(" ")).toContain('overflows float32 in 1 layers, which are left out: "w"');
    expect(found(report.propagation).layers[0]).toMatchObject({ q: 0, gradient: null });
  });
});
