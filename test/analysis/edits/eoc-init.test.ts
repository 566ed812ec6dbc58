/** Weights drawn on the edge of chaos: their distribution, what they depend on, and what is left alone. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EditReport } from "../../../server/protocol/insights.js";
import type { EocInit } from "../../../server/protocol/recipe.js";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { withPrepared } from "../../../server/src/analysis/prepared-model.js";
import { save } from "../../../server/src/analysis/save.js";
import { theory } from "../../../server/src/analysis/theory.js";
import { storedConstant, storedElements } from "../../../server/src/formats/stored-elements.js";
import { quietContext } from "../../support/job-context.js";
import { ModelFolder, saveParams } from "../../support/model-folder.js";
import {
  behind,
  externalWeights,
  groupedConvolutions,
  model,
  node,
  normals,
  quantised,
  recurrent,
  sparseWeight,
  storedWeight,
  tensor,
  type TestModel,
  value,
  weight,
} from "../../support/models.js";
import { ffnn } from "../../support/networks/ffnn.js";

let folder = new ModelFolder();
const init: EocInit = { sigmaB: 0.2, scheme: "normal", force: false };
const context = quietContext();

beforeEach(() => {
  folder = new ModelFolder();
});
afterEach(() => {
  folder.dispose();
});

interface Drawn {
  /** Elements of weights by id, of biases by name. */
  readonly weights: Readonly<Record<string, Float64Array>>;
  readonly constants: Readonly<Record<string, Float64Array>>;
  readonly report: EditReport;
}

/** What becomes of a model. */
function drawn(made: TestModel | Uint8Array, changes: Partial<EocInit> = {}, seed = 1): Promise<Drawn> {
  const path = folder.write("model.onnx", made);
  return withPrepared(
    path,
    { eocInit: { ...init, ...changes }, seed },
    context,
    ({ search, source, model }, [report]) => {
      const read = (elements: ReturnType<typeof storedElements> | null): Float64Array => {
        const out = new Float64Array(elements?.size ?? 0);
        elements?.readExact(0, out.length, out);
        return out;
      };
      const named = [...model.graph.constants.values()].map(
        (one) => [one.name, read(storedConstant(source, one))] as const,
      );
      return Promise.resolve({
        weights: Object.fromEntries(search.weights.map((one) => [one.id, read(storedElements(source, one))])),
        constants: Object.fromEntries(named),
        report: report!,
      });
    },
  );
}

const meanSquare = (values: Float64Array): number => values.reduce((sum, v) => sum + v * v, 0) / values.length;

/** Words of the changes of a tensor. */
const wordsOf = ({ changes }: EditReport, name: string): string =>
  changes.flatMap((change) => (change.name === name ? [change.words] : [])).join("; ");

/** Gemm layers with tanh between them and biases; the last without. */
function tanhNet(order: "forward" | "backward" = "forward"): TestModel {
  const initializers = [
    weight("first", [150, 200], 1),
    tensor("first.bias", "float", [150], normals(2, 150)),
    weight("second", [120, 150], 3),
    tensor("second.bias", "float", [120], normals(4, 120)),
    weight("last", [10, 120], 5),
    tensor("last.bias", "float", [10], normals(6, 10)),
  ];
  return model({
    graph: {
      nodes: [
        node("Gemm", ["x", "first", "first.bias"], ["a"], { transB: 1 }),
        node("Tanh", ["a"], ["ta"]),
        node("Gemm", ["ta", "second", "second.bias"], ["b"], { transB: 1 }),
        node("Tanh", ["b"], ["tb"]),
        node("Gemm", ["tb", "last", "last.bias"], ["y"], { transB: 1 }),
      ],
      inputs: [value("x", "float", ["batch", 200])],
      outputs: [value("y", "float", ["batch", 10])],
      initializers: order === "forward" ? initializers : initializers.reverse(),
    },
  });
}

describe("normal weights", () => {
  it("have the moments of the edge, biases too, and the last layer σ_w = 1 without bias", async () => {
    const { weights, constants, report } = await drawn(tanhNet());
    // `prunescope eoc --activation tanh --sigma-b 0.2`.
    const sigmaW = 1.304146;
    for (const [id, fanIn, scale] of [
      ["first", 200, sigmaW],
      ["second", 150, sigmaW],
      ["last", 120, 1],
    ] as const) {
      const values = weights[id]!;
      const deviation = scale / Math.sqrt(fanIn);
      // Four standard errors of n normal numbers: of the mean 1/√n, of the mean square √(2/n), of the fourth moment √(96/n).
      const standard = values.map((v) => v / deviation);
      const n = standard.length;
      expect(Math.abs(standard.reduce((sum, v) => sum + v, 0) / n), id).toBeLessThan(4 / Math.sqrt(n));
      expect(Math.abs(meanSquare(standard) - 1), id).toBeLessThan(4 * Math.sqrt(2 / n));
      expect(Math.abs(meanSquare(standard.map((v) => v * v)) - 3), id).toBeLessThan(4 * Math.sqrt(96 / n));
    }
    for (const [name, n] of [
      ["first.bias", 150],
      ["second.bias", 120],
    ] as const)
      expect(Math.abs(meanSquare(constants[name]!) / 0.04 - 1), name).toBeLessThan(4 * Math.sqrt(2 / n));
    expect([...constants["last.bias"]!].every((v) => v === 0)).toBe(true);
    expect(wordsOf(report, "first")).toMatch(/^normal, standard deviation .* for tanh$/);
    expect(report.words).toContain("3 of 3 layers");
  });

  it("depend on the seed and on the layer's id, not on the order of tensors in the file", async () => {
    const one = await drawn(tanhNet());
    expect((await drawn(tanhNet())).weights).toEqual(one.weights);
    expect((await drawn(tanhNet("backward"))).weights).toEqual(one.weights);
    const other = await drawn(tanhNet(), {}, 2);
    const same = [...other.weights["first"]!].filter((v, i) => v === one.weights["first"]![i]);
    expect(same).toHaveLength(0);
  });

  it("of two layers are no shifted copies of each other", async () => {
    const { weights } = await drawn(tanhNet());
    const first = new Set([...weights["first"]!].map((v) => Math.fround(v * Math.sqrt(200)).toFixed(6)));
    const alike = [...weights["second"]!].filter((v) => first.has(Math.fround(v * Math.sqrt(150)).toFixed(6)));
    // 30,000 numbers fill about a hundredth of the cells of 10⁻⁶ where the density is highest.
    expect(alike.length / weights["second"]!.length).toBeLessThan(0.02);
  });
});

describe("orthogonal weights", () => {
  /** Largest |element of M Mᵀ − g² I| for the rows of M. */
  function offOrthogonal(rows: readonly Float64Array[], square: number): number {
    let worst = 0;
    rows.forEach((a, i) => {
      rows.slice(i).forEach((b, j) => {
        const dot = a.reduce((sum, v, k) => sum + v * b[k]!, 0);
        worst = Math.max(worst, Math.abs(dot - (j === 0 ? square : 0)));
      });
    });
    return worst;
  }

  const rowsOf = (values: Float64Array, count: number): Float64Array[] =>
    Array.from({ length: count }, (_, i) =>
      values.subarray((i * values.length) / count, ((i + 1) * values.length) / count),
    );
  const columnsOf = (values: Float64Array, rows: number): Float64Array[] => {
    const columns = values.length / rows;
    return Array.from({ length: columns }, (_, j) =>
      Float64Array.from({ length: rows }, (_, i) => values[i * columns + j]!),
    );
  };

  it("have orthogonal rows, or columns where there are more outputs than inputs, of mean square σ_w²", async () => {
    const made = model({
      graph: {
        nodes: [
          node("MatMul", ["x", "wide"], ["a"]),
          node("Relu", ["a"], ["ra"]),
          node("Gemm", ["ra", "narrow"], ["b"], { transB: 1 }),
          node("Relu", ["b"], ["rb"]),
          node("MatMul", ["rb", "last"], ["y"]),
        ],
        inputs: [value("x", "float", ["batch", 24])],
        outputs: [value("y", "float", ["batch", 8])],
        // MatMul's are [in, out], Gemm's [out, in] with transB.
        initializers: [weight("wide", [24, 60], 1), weight("narrow", [32, 60], 2), weight("last", [32, 8], 3)],
      },
    });
    const { weights, report } = await drawn(made, { scheme: "orthogonal", sigmaB: 0 });
    // ReLU: σ_w² = 2; a float32 element is off by 6e-8, a product of 60 of them by less than 1e-5.
    expect(offOrthogonal(rowsOf(weights["wide"]!, 24), (2 * 60) / 24)).toBeLessThan(1e-5);
    expect(offOrthogonal(rowsOf(weights["narrow"]!, 32), 2)).toBeLessThan(1e-5);
    expect(offOrthogonal(columnsOf(weights["last"]!, 32), 1)).toBeLessThan(1e-5);
    expect(wordsOf(report, "wide")).toMatch(/^orthogonal/);
    for (const [id, fanIn, square] of [
      ["wide", 24, 2],
      ["narrow", 60, 2],
      ["last", 32, 1],
    ] as const)
      expect(Math.abs((fanIn * meanSquare(weights[id]!)) / square - 1), id).toBeLessThan(1e-6);
  });

  it("are made of convolutions as flattened matrices, and grouped ones are drawn normal with the reason", async () => {
    const made = groupedConvolutions();
    const { report } = await drawn(made, { scheme: "orthogonal", sigmaB: 0 });
    expect(
      report.changes.filter(({ words }) => words.startsWith("normal and not orthogonal (it has groups)")),
    ).not.toHaveLength(0);
    const conv = model({
      graph: {
        nodes: [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["r"]), node("Conv", ["r", "v"], ["y"])],
        inputs: [value("x", "float", [1, 3, 8, 8])],
        outputs: [value("y", "float", null)],
        initializers: [weight("w", [16, 3, 3, 3], 1), weight("v", [2, 16, 1, 1], 2)],
      },
    });
    const { weights } = await drawn(conv, { scheme: "orthogonal", sigmaB: 0 });
    expect(offOrthogonal(rowsOf(weights["w"]!, 16), 2)).toBeLessThan(1e-5);
  });
});

describe("the theory of a redrawn model", () => {
  it("finds χ = 1 in every layer of an orthogonal ReLU network", async () => {
    const path = folder.write("model.onnx", ffnn({ activation: "Relu", sigmaW: 1, depth: 5, width: 60 }).bytes);
    const eocInit: EocInit = { sigmaB: 0, scheme: "orthogonal", force: true };
    const { path: target } = await save(saveParams(path, { recipe: { sparsity: 0, eocInit } }), context);
    const { layers } = await theory({ uri: target, path: target, sigmaB: 0, dynamicAxes: {} }, context);
    for (const { phase } of layers.slice(0, -1)) {
      expect(phase?.phase).toBe("edge");
      expect(Math.abs(phase!.chi - 1)).toBeLessThan(1e-6);
    }
    expect(Math.abs(layers.at(-1)!.sigmaW! - 1)).toBeLessThan(1e-6);
  });

  it("finds χ = 1 but for sampling in a normal tanh network", async () => {
    const path = folder.write("model.onnx", ffnn({ activation: "Tanh", sigmaW: 3, depth: 5, width: 200 }).bytes);
    const { path: target } = await save(saveParams(path, { recipe: { sparsity: 0, eocInit: init } }), context);
    const { layers } = await theory({ uri: target, path: target, sigmaB: 0.2, dynamicAxes: {} }, context);
    // σ_w² of 40,000 weights is off by √(2/40000) = 0.7 %, σ_b² of 200 biases by 10 %; χ moves by 0.2 and 0.06 of that.
    for (const { phase } of layers.slice(0, -1)) expect(Math.abs(phase!.chi - 1)).toBeLessThan(0.03);
  });
});

describe("where weights lie", () => {
  const half = 2 ** -11;

  it.each<[string, () => TestModel, number]>([
    ["float16", () => storedWeight({ dtype: "float16", storage: "raw" }), half],
    ["bfloat16", () => storedWeight({ dtype: "bfloat16", storage: "raw" }), 2 ** -8],
    ["double", () => storedWeight({ dtype: "double", storage: "raw" }), 0],
    ["an external file", () => storedWeight({ dtype: "float", storage: "external" }), 2 ** -24],
  ])("is no matter: %s holds the same numbers as float32, rounded", async (_, make, rounding) => {
    const { w: plain } = (await drawn(storedWeight({ dtype: "double", storage: "raw" }))).weights;
    const { w } = (await drawn(make())).weights;
    w!.forEach((v, i) => {
      expect(Math.abs(v - plain![i]!)).toBeLessThanOrEqual(rounding * Math.abs(plain![i]!) + 2 ** -25);
    });
  });

  it("may be a Constant node, behind operators that move it, or several files", async () => {
    for (const inNodes of [false, true]) {
      const { weights } = await drawn(behind("several", { inNodes }));
      expect(Math.abs(6 * meanSquare(Object.values(weights)[0]!) - 1)).toBeLessThan(4 * Math.sqrt(2 / 48));
    }
    const { weights } = await drawn(externalWeights());
    for (const [id, fanIn] of Object.entries({ first: 32, second: 64, third: 48, fourth: 32 })) {
      const values = weights[id]!;
      expect(Math.abs(fanIn * meanSquare(values) - 1), id).toBeLessThan(4 * Math.sqrt(2 / values.length));
    }
  });

  it.each<[string, () => TestModel, RegExp]>([
    ["codes of a quantisation", () => quantised({ dtype: "int8", axis: 1 }), /"?kept as it is: its elements are codes/],
    ["varints", () => storedWeight({ dtype: "float16", storage: "typed" }), /varints/],
    ["sparse tensors", () => sparseWeight(), /sparse tensor/],
  ])("cannot be %s, and the error says so", async (_, make, words) => {
    const attempt = drawn(make());
    await expect(attempt).rejects.toMatchObject({ code: "bad-request", about: { file: folder.file("model.onnx") } });
    await expect(attempt).rejects.toThrow(words);
  });
});

describe("a trained model", () => {
  /** Heavy-tailed weights, statistics of data. */
  const trained = (): TestModel =>
    model({
      graph: {
        nodes: [
          node("Gather", ["table", "x"], ["e"]),
          node("Gemm", ["e", "w", "b"], ["a"], { transB: 1 }),
          node("BatchNormalization", ["a", "bn.scale", "bn.bias", "bn.mean", "bn.var"], ["n"]),
          node("Relu", ["n"], ["r"]),
          node("Gemm", ["r", "v"], ["y"], { transB: 1 }),
        ],
        inputs: [value("x", "int64", [4])],
        outputs: [value("y", "float", [4, 20])],
        initializers: [
          tensor("table", "float", [9, 80], normals(9, 720)),
          tensor(
            "w",
            "float",
            [50, 80],
            normals(1, 4000).map((v) => (v ** 3 + 0.2) / 9),
          ),
          tensor(
            "b",
            "float",
            [50],
            normals(2, 50).map((v) => 1 + v),
          ),
          tensor(
            "bn.scale",
            "float",
            [50],
            normals(3, 50).map((v) => 1 + 0.2 * v),
          ),
          tensor(
            "bn.bias",
            "float",
            [50],
            normals(4, 50).map((v) => 0.3 * v),
          ),
          tensor("bn.mean", "float", [50], normals(5, 50)),
          tensor(
            "bn.var",
            "float",
            [50],
            normals(6, 50).map((v) => v * v + 0.1),
          ),
          tensor(
            "v",
            "float",
            [20, 50],
            normals(7, 1000).map((v) => (v ** 3 - 0.2) / 7),
          ),
        ],
      },
    });

  it("is not redrawn unless that is what is wanted", async () => {
    const attempt = drawn(trained());
    await expect(attempt).rejects.toMatchObject({ code: "bad-request" });
    await expect(attempt).rejects.toThrow(/looks trained.*--force/s);
  });

  it("loses its statistics too when it is, and keeps its embeddings", async () => {
    const { constants, report } = await drawn(trained(), { force: true });
    const all = (name: string): number[] => [...new Set(constants[name])];
    expect([all("bn.scale"), all("bn.bias"), all("bn.mean"), all("bn.var")]).toEqual([[1], [0], [0], [1]]);
    expect([...constants["table"]!]).toEqual(normals(9, 720).map(Math.fround));
    expect(wordsOf(report, "table")).toBe("kept as it is: embeddings have no fan-in");
    expect(report.words).toContain("looked trained");
  });
});

describe("other layers", () => {
  it("of recurrent networks get half of the variance on each of their two paths", async () => {
    const { weights, report } = await drawn(recurrent("LSTM"), { force: true });
    for (const [id, fanIn] of Object.entries({ W: 6, R: 8 })) {
      const share = fanIn * meanSquare(weights[id]!);
      expect(Math.abs(2 * share - 1), id).toBeLessThan(4 * Math.sqrt(2 / weights[id]!.length));
      expect(wordsOf(report, id)).toMatch(/^normal/);
    }
  });

  it("without an edge that holds are kept as they are", async () => {
    const made = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["a"]), node("Softplus", ["a"], ["s"]), node("MatMul", ["s", "v"], ["y"])],
        inputs: [value("x", "float", [2, 30])],
        outputs: [value("y", "float", [2, 10])],
        initializers: [weight("w", [30, 40], 1), weight("v", [40, 10], 2)],
      },
    });
    const { weights, report } = await drawn(made);
    expect(wordsOf(report, "w")).toBe("kept as it is: softplus has no edge of chaos that holds");
    const path = folder.file("model.onnx");
    const before = await withModel(path, ({ source, search }) => {
      const out = new Float64Array(1200);
      storedElements(source, search.weights[0]!).readExact(0, 1200, out);
      return Promise.resolve(out);
    });
    expect(weights["w"]).toEqual(before);
  });

  it("whose activation has its edge elsewhere are drawn at the nearest, which is said", async () => {
    const made = model({
      opset: 20,
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["a"]), node("Gelu", ["a"], ["g"]), node("MatMul", ["g", "v"], ["y"])],
        inputs: [value("x", "float", [2, 100])],
        outputs: [value("y", "float", [2, 10])],
        initializers: [weight("w", [100, 100], 1), weight("v", [100, 10], 2)],
      },
    });
    const { report } = await drawn(made);
    expect(wordsOf(report, "w")).toMatch(/σ_b 0\.41\d+, the nearest σ_b at which gelu has an edge.*has no bias/);
  });
});
