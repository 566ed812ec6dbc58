/** What the theory says of whole models: σ as they were drawn, phases, real models without a gap and without NaN. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TheoryReport } from "../../server/protocol/insights.js";
import { theory } from "../../server/src/analysis/theory.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { quietContext } from "../support/job-context.js";
import { node, model } from "../support/model-builder.js";
import { ModelFolder } from "../support/model-folder.js";
import { tensor, value } from "../support/model-tensors.js";
import { ffnn } from "../support/networks/index.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const theoryOf = (path: string, sigmaB = 0.2): Promise<TheoryReport> =>
  theory({ uri: "file:///model.onnx", path, sigmaB, dynamicAxes: {} }, quietContext());

/** Every number of a report is one. */
function expectFinite(part: unknown, place = ""): void {
  if (typeof part === "number") expect(Number.isFinite(part), place).toBe(true);
  else if (typeof part === "object" && part !== null)
    for (const [key, inner] of Object.entries(part)) expectFinite(inner, `${place}.${key}`);
}

describe("a plain network", () => {
  const draw = (activation: "Relu" | "Tanh", sigmaW: number, sigmaB: number): Promise<TheoryReport> =>
    theoryOf(folder.write("ffnn.onnx", ffnn({ activation, sigmaW, sigmaB, width: 150, depth: 5 }).bytes));

  it.each([
    ["Tanh", 0.9, 0.2, "ordered"],
    ["Tanh", 2, 0.2, "chaotic"],
    ["Relu", 1, 0, "ordered"],
    ["Relu", 2, 0, "chaotic"],
  ] as const)("%s with σ_w %s and σ_b %s is %s", async (activation, sigmaW, sigmaB, phase) => {
    const { layers, origin } = await draw(activation, sigmaW, sigmaB);
    for (const layer of layers.slice(0, -1)) {
      // Of 22,500 weights σ_w is known to 0.5 %, of 150 biases σ_b to 6 %: five deviations.
      expect(Math.abs(layer.sigmaW! / sigmaW - 1)).toBeLessThan(0.025);
      expect(Math.abs(layer.sigmaB! - sigmaB)).toBeLessThan(0.3 * sigmaB + 1e-9);
      expect(layer.phase?.phase).toBe(phase);
      expect(layer.limits).toEqual([]);
    }
    expect(layers.at(-1)!.limits.map(({ kind }) => kind)).toEqual(["last"]);
    expect(layers.at(-1)!.suggestion).toMatchObject({ sigmaW: 1, sigmaB: 0 });
    expect(origin.verdict).toBe("fresh");
  });

  it("on the edge of chaos has χ near 1, and is told the point that it was drawn with", async () => {
    const report = await draw("Tanh", 1.304146, 0.2);
    for (const { phase, suggestion, fanIn } of report.layers.slice(0, -1)) {
      expect(Math.abs(phase!.chi - 1)).toBeLessThan(0.03);
      expect(suggestion!.sigmaW).toBeCloseTo(1.304146, 6);
      expect(suggestion!.deviation).toBeCloseTo(1.304146 / Math.sqrt(fanIn!), 6);
    }
    expect(Object.keys(report.code).sort()).toEqual(["jax", "keras", "pytorch", "tfjs"]);
    expect(report.inputScale).toBeCloseTo((0.512079 - 0.04) / 1.304146 ** 2, 5);
    expect(report.edges.map(({ activation, status }) => [activation, status])).toEqual([["tanh", "stable"]]);
  });

  it("says why σ_w makes no trend with ReLU", async () => {
    expect((await draw("Relu", 2, 0)).notes.join(" ")).toContain("Σ w·∂L/∂w is the same in every layer");
  });

  it("with all weights 0, or with NaN, is a sentence", async () => {
    const gemm = (numbers: readonly number[]): string =>
      folder.write(
        "odd.onnx",
        model({
          graph: {
            nodes: [node("Gemm", ["x", "w"], ["a"], { transB: 1 }), node("Softplus", ["a"], ["y"])],
            inputs: [value("x", "float", ["n", 2])],
            outputs: [value("y", "float", ["n", 2])],
            initializers: [tensor("w", "float", [2, 2], numbers)],
          },
        }),
      );
    const zero = await theoryOf(gemm([0, 0, 0, 0]));
    expect(zero.layers[0]!.limits.map(({ kind }) => kind)).toContain("zero-variance");
    // Softplus has no edge of chaos at all.
    expect(zero.layers[0]!.suggestion).toBeNull();
    expectFinite(zero);
    const broken = await theoryOf(gemm([1, NaN, 0, 0]));
    expect(broken.layers[0]!.limits.map(({ kind }) => kind)).toContain("non-finite");
    expectFinite(broken);
  });

  it("a model without layers has nothing to draw", async () => {
    const path = folder.write(
      "empty.onnx",
      model({
        graph: {
          nodes: [node("Relu", ["x"], ["y"])],
          inputs: [value("x", "float", ["n", 2])],
          outputs: [value("y", "float", ["n", 2])],
          initializers: [],
        },
      }),
    );
    const report = await theoryOf(path);
    expect(report.layers).toEqual([]);
    expect(report.advice).toContain("no weighted layers");
    expect(report.origin.verdict).toBe("unclear");
  });
});

describe.each(realModels)("$file", (real) => {
  it("has a phase, or what keeps the theory from it, for every layer; and was trained", async () => {
    const report = await theoryOf(realModelPath(real));
    expect(report.layers.length).toBe(Object.values(real.layers).reduce((sum, count) => sum + count, 0));
    for (const { id, phase, limits } of report.layers) {
      expect(phase !== null || limits.length > 0, id).toBe(true);
      for (const { words } of limits) expect(words).toMatch(/[.:]/);
    }
    expect(report.origin.verdict).toBe("trained");
    expect(report.advice).toContain("from scratch");
    expectFinite(report);
  });
});
