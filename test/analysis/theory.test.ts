/** The job `theory`: σ_w and σ_b as they were drawn, phases, suggestions, and sentences where the theory ends. */
import type { TensorProto } from "onnx-buf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LayerTheory, TheoryReport } from "../../server/protocol/insights.js";
import { theory } from "../../server/src/analysis/theory.js";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { edgeOfChaos } from "../../server/src/meanfield/edge-of-chaos.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { quietContext } from "../support/job-context.js";
import { around, floats } from "../support/layer-sites.js";
import { ModelFolder } from "../support/model-folder.js";
import { convNet, model, node, recurrent, sparseWeight, tensor, type TestModel, value } from "../support/models.js";
import { ffnn, resnet } from "../support/networks/index.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const of = (path: string, sigmaB = 0.2): Promise<TheoryReport> =>
  theory({ uri: path, path, sigmaB, dynamicAxes: {} }, quietContext());

async function theoryOf(content: TestModel | Uint8Array, sigmaB?: number): Promise<TheoryReport> {
  const report = await of(folder.write("model.onnx", content), sigmaB);
  expectFinite(report, "report");
  return report;
}

const layer = ({ layers }: TheoryReport, id: string): LayerTheory => layers.find((one) => one.id === id)!;

/** No NaN, no infinity and no undefined anywhere; every layer has a phase, or words why not. */
function expectFinite(part: unknown, place: string): void {
  if (typeof part === "number" && !Number.isFinite(part)) expect.fail(`${place} is ${part}`);
  if (part === undefined) expect.fail(`${place} is undefined`);
  if (typeof part === "string") expect(part, place).not.toMatch(/\bNaN\b|Infinity/);
  if (typeof part === "object" && part !== null)
    for (const [key, inner] of Object.entries(part)) expectFinite(inner, `${place}.${key}`);
}

/** A square matrix of ±σ_w/√n: its mean square is σ_w²/n exactly, up to float32. */
const signs = (name: string, sigmaW: number, size: number): TensorProto =>
  tensor(
    name,
    "float",
    [size, size],
    Array.from({ length: size * size }, (_, i) => ((i * 2654435761) % 7 < 3.5 ? 1 : -1) * (sigmaW / Math.sqrt(size))),
  );

/** Three layers of a width, with a bias of ±σ_b, whose activation is one operator. */
function chain(op: string, sigmaW: number, sigmaB: number, size = 64): TestModel {
  const bias = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? sigmaB : -sigmaB));
  return model({
    opset: 20,
    graph: {
      nodes: [
        node("Gemm", ["x", "w1", "b"], ["u1"]),
        node(op, ["u1"], ["h1"]),
        node("Gemm", ["h1", "w2", "b"], ["u2"]),
        node(op, ["u2"], ["h2"]),
        node("Gemm", ["h2", "w3"], ["y"]),
      ],
      inputs: [value("x", "float", [2, size])],
      outputs: [value("y", "float", null)],
      initializers: [
        ...["w1", "w2", "w3"].map((name) => signs(name, sigmaW, size)),
        tensor("b", "float", [size], bias),
      ],
    },
  });
}

describe("σ_w and σ_b of a network", () => {
  it.each([
    [0.9, 0.1],
    [2, 0.3],
  ])("are those that it was drawn with: %s and %s", async (sigmaW, sigmaB) => {
    const { bytes } = ffnn({ activation: "Tanh", sigmaW, sigmaB, depth: 6, width: 100, seed: 5 });
    const { layers } = await theoryOf(bytes);
    expect(layers).toHaveLength(6);
    for (const one of layers.slice(0, -1)) {
      // Of 10,000 weights and 100 biases, 4.5 standard errors: 4.5·√(1/2n).
      expect(Math.abs(one.sigmaW! / sigmaW - 1)).toBeLessThan(0.032);
      expect(Math.abs(one.sigmaB! / sigmaB - 1)).toBeLessThan(0.32);
      expect(one).toMatchObject({ fanIn: 100, activation: "tanh", limits: [] });
      expect(one.meanShare).toBeLessThan(1e-3);
    }
    expect(layers.at(-1)).toMatchObject({ activation: null, phase: null, limits: [{ kind: "last" }] });
  });

  it("count what a sparse tensor leaves out as 0", async () => {
    const sparse = (await theoryOf(sparseWeight())).layers[0]!;
    // Every third element of a [6, 8] matrix is stored, a standard normal times √(2/6): about 2 of σ_w² = 6·(2/6)/3.
    expect(sparse.sigmaW! ** 2).toBeGreaterThan(0.2);
    expect(sparse.sigmaW! ** 2).toBeLessThan(2);
  });
});

describe("the phase of tanh", () => {
  it.each([
    [0.9, 0, "ordered"],
    [2, 0, "chaotic"],
    [2, 0.2, "chaotic"],
    [1.304146, 0.2, "edge"],
    [1.395584, 0.3, "edge"],
    [1.2, 0.2, "ordered"],
  ] as const)("at σ_w = %s and σ_b = %s is %s", async (sigmaW, sigmaB, phase) => {
    const report = await theoryOf(chain("Tanh", sigmaW, sigmaB));
    for (const id of ["w1", "w2"]) {
      expect(layer(report, id).sigmaW).toBeCloseTo(sigmaW, 6);
      expect(layer(report, id).phase?.phase).toBe(phase);
    }
    // The edge is meant exactly here, not within what 64 × 64 weights leave open.
    if (phase === "edge") expect(Math.abs(layer(report, "w1").phase!.chi - 1)).toBeLessThan(1e-5);
  });

  it("is the edge for a network that was drawn there, whatever chance adds", async () => {
    const { bytes } = ffnn({ activation: "Tanh", sigmaW: 1.304146, sigmaB: 0.2, depth: 8, width: 64, seed: 3 });
    const { layers } = await theoryOf(bytes);
    const phases = layers.slice(0, -1).map(({ phase }) => phase!);
    // Each is within three standard errors with 99.7 %.
    expect(phases.map(({ phase }) => phase)).toEqual(phases.map(() => "edge"));
    for (const { chi } of phases) expect(Math.abs(chi - 1)).toBeLessThan(0.1);
    expect(phases.map(({ explanation }) => explanation).join(" ")).toContain("σ_w² is known to ±");
  });
});

describe("suggestions", () => {
  it("are on the edge of chaos of the activation that follows; the last layer passes the variance on", async () => {
    const report = await theoryOf(chain("Tanh", 1, 0));
    const { point } = edgeOfChaos(activationNamed("tanh"), 0.2);
    expect(layer(report, "w1").suggestion).toEqual({
      sigmaW: point!.sigmaW,
      sigmaB: 0.2,
      deviation: point!.sigmaW / 8,
      status: "stable",
      q: point!.q,
    });
    expect(layer(report, "w3").suggestion).toEqual({
      sigmaW: 1,
      sigmaB: 0,
      deviation: 0.125,
      status: "marginal",
      q: null,
    });
    expect(Object.keys(report.code)).toEqual(["pytorch", "keras", "tfjs", "jax"]);
    for (const code of Object.values(report.code))
      expect(code).toContain(String(Number(point!.sigmaW.toPrecision(10))));
    expect(report.inputScale).toBeCloseTo((point!.q! - 0.04) / point!.sigmaW ** 2, 12);
  });

  it("take the nearest σ_b where the edge does not hold, and say so", async () => {
    const report = await theoryOf(chain("Gelu", 1, 0));
    const { suggestion } = layer(report, "w1");
    expect(suggestion!.status).toMatch(/^(?:stable|marginal)$/);
    // Where the curve turns stable.
    expect(suggestion!.sigmaB).toBeCloseTo(0.416, 2);
    expect(report.edges).toMatchObject([{ activation: "gelu", status: "unstable" }]);
    expect(report.edges[0]!.explanation).toMatch(/The nearest σ_b with a point that holds is 0\.41/);
  });

  it("are absent for an activation without an edge, with a sentence", async () => {
    const report = await theoryOf(chain("Softplus", 1, 0));
    expect(layer(report, "w1")).toMatchObject({ activation: "softplus", suggestion: null });
    expect(report.code).toEqual({});
    expect(report.inputScale).toBeNull();
    expect(report.notes).toContain("softplus has no edge of chaos that holds: layers with it get no suggestion.");
  });

  it("are absent for normalised layers, which get no phase either", async () => {
    const report = await theoryOf(convNet());
    const first = layer(report, "conv1.weight");
    expect(first).toMatchObject({ activation: "relu", phase: null, suggestion: null });
    expect(first.limits[0]!.words).toContain("advice on σ_w does not apply");
    expect(layer(report, "conv2.weight").limits.map(({ kind }) => kind)).toEqual(["residual"]);
  });

  it("give each half of a recurrent layer half of σ_w²", async () => {
    const report = await theoryOf(recurrent("RNN"));
    const { sigmaW } = edgeOfChaos(activationNamed("tanh"), 0.2).point!;
    expect(layer(report, "W").suggestion!.deviation).toBeCloseTo(sigmaW / Math.sqrt(2 * 6), 12);
    expect(layer(report, "R").suggestion!.deviation).toBeCloseTo(sigmaW / Math.sqrt(2 * 8), 12);
  });

  it("leave gates half open, and what is not known alone", async () => {
    const gate = await theoryOf(around([node("Sigmoid", ["u"], ["a"]), node("Mul", ["x", "a"], ["v"])]));
    expect(layer(gate, "first")).toMatchObject({ activation: "sigmoid", suggestion: { sigmaW: 1, sigmaB: 0 } });
    const unknown = await theoryOf(around([node("Cos", ["u"], ["v"])]));
    expect(layer(unknown, "first").suggestion).toBeNull();
  });

  it("are refused for a σ_b out of range", async () => {
    const path = folder.write("refused.onnx", chain("Tanh", 1, 0));
    await expect(of(path, -1)).rejects.toMatchObject({ code: "bad-request" });
  });
});

describe("what the theory says of pruning", () => {
  it("homogeneous chains do not collapse by σ_w, and it is said why", async () => {
    const relu = await theoryOf(chain("Relu", 2, 0));
    expect(relu.notes.join(" ")).toContain("Σ w·∂L/∂w is the same in every layer, so that σ_w alone");
    expect(layer(relu, "w1").phase).toMatchObject({ phase: "chaotic", q: null });
    const tanh = await theoryOf(chain("Tanh", 2, 0));
    expect(tanh.notes.join(" ")).not.toContain("homogeneous");
  });
});

describe("bad input ends in sentences", () => {
  const withWeights = (values: (i: number) => number, bias = [0, 0, 0, 0, 0, 0]): TestModel => {
    const made = around([node("Add", ["u", "bias"], ["a"]), node("Tanh", ["a"], ["v"])], {
      initializers: floats({ bias }),
    });
    const { initializer } = made.proto.graph!;
    initializer[0] = tensor(
      "first",
      "float",
      [6, 6],
      Array.from({ length: 36 }, (_, i) => values(i)),
    );
    return made;
  };

  it("weights that are all 0", async () => {
    const found = layer(await theoryOf(withWeights(() => 0)), "first");
    expect(found).toMatchObject({ sigmaW: 0, phase: null, meanShare: null, limits: [{ kind: "zero-variance" }] });
  });

  it("weights and biases that are not finite", async () => {
    const weights = layer(await theoryOf(withWeights((i) => (i === 3 ? NaN : 1))), "first");
    expect(weights).toMatchObject({ sigmaW: null, phase: null, meanShare: null, limits: [{ kind: "non-finite" }] });
    const biases = layer(await theoryOf(withWeights(Math.cos, [0, 0, Infinity, 0, 0, 0])), "first");
    expect(biases).toMatchObject({ sigmaB: null, phase: null, limits: [{ kind: "computed-bias" }] });
  });

  it("scales that no network is drawn with", async () => {
    const large = layer(await theoryOf(withWeights((i) => 1e6 * Math.cos(i))), "first");
    expect(large).toMatchObject({ phase: null, limits: [{ kind: "out-of-range" }] });
    const small = layer(await theoryOf(withWeights(Math.cos, [1e-9, 0, 0, 0, 0, 0])), "first");
    expect(small.limits).toEqual([]);
    expect(small.phase).not.toBeNull();
    const tiny = layer(await theoryOf(withWeights((i) => 1e-30 * Math.cos(i))), "first");
    expect(tiny.phase?.phase).toBe("ordered");
  });

  it("one layer, and none", async () => {
    const lone = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["y"])],
        inputs: [value("x", "float", [2, 4])],
        outputs: [value("y", "float", null)],
        initializers: [signs("w", 1, 4)],
      },
    });
    expect((await theoryOf(lone)).layers).toMatchObject([{ limits: [{ kind: "last" }], phase: null }]);
    const none = model({
      graph: {
        nodes: [node("Relu", ["x"], ["y"])],
        inputs: [value("x", "float", [2, 4])],
        outputs: [value("y", "float", null)],
      },
    });
    const report = await theoryOf(none);
    expect(report).toMatchObject({ layers: [], edges: [], code: {}, inputScale: null });
    expect(report.advice).toBe("The model has no weighted layers, so that there is nothing to draw.");
  });
});

describe("whole networks", () => {
  it("a ResNet: normalised, with its residual blocks", async () => {
    const report = await theoryOf(resnet({ depth: 32 }).bytes);
    expect(report.residual.additions).toBe(15);
    for (const one of report.layers.slice(0, -1)) expect(one.limits.map(({ kind }) => kind)).toContain("normalised");
  });

  it("real models: a phase or words for every layer, and edges in few points", { timeout: 60_000 }, async () => {
    for (const real of realModels) {
      const report = await of(realModelPath(real));
      expectFinite(report, real.file);
      for (const { id, phase, limits } of report.layers) {
        expect(phase !== null || limits.length > 0, `${real.file} ${id}`).toBe(true);
        for (const { words } of limits) expect(words, id).toMatch(/^(?:[A-Z]|σ|\d).*\.$/);
      }
      for (const { activation, parts } of report.edges)
        expect(
          parts.reduce((sum, { points }) => sum + points.length, 0),
          activation,
        ).toBeLessThanOrEqual(250);
      // What a webview takes in one message.
      expect(JSON.stringify(report).length, real.file).toBeLessThan(2e5);
    }
  });
});
