/** The origin of whole models: fresh exports of several frameworks' forms, the same network trained, real ones. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOnnx } from "../../../server/src/formats/onnx/read.js";
import { Source } from "../../../server/src/formats/source.js";
import { findPrunable } from "../../../server/src/graph/prunable.js";
import { type ModelOrigin, modelOrigin } from "../../../server/src/meanfield/origin/index.js";
import { layerSites } from "../../../server/src/meanfield/sites/index.js";
import { realModelPath, realModels } from "../../cases/real-models.js";
import { uniform } from "../../support/arrays.js";
import { draws } from "../../support/draws.js";
import { model, node } from "../../support/model-builder.js";
import { ModelFolder } from "../../support/model-folder.js";
import { tensor, value } from "../../support/model-tensors.js";
import type { TestModel } from "../../support/models.js";
import { resnet } from "../../support/networks/index.js";
import { type DenseLayer, trainedLayers } from "../../support/trained-network.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

async function originOf(path: string): Promise<ModelOrigin> {
  const source = new Source(path);
  try {
    const read = readOnnx(source);
    const sites = await layerSites(read, findPrunable(read).weights, 1);
    const told: number[] = [];
    const origin = await modelOrigin(sites, read.graph, source, (done) => Promise.resolve(void told.push(done)));
    expect(told.at(-1)).toBe(sites.reduce((sum, { weight }) => sum + weight.size, 0));
    return origin;
  } finally {
    source.close();
  }
}

const widths = [24, 32, 32, 8] as const;

/** Gemm and Tanh, layer by layer. */
const dense = (layers: readonly DenseLayer[]): TestModel =>
  model({
    graph: {
      nodes: layers.flatMap((_, l) => [
        node("Gemm", [l === 0 ? "x" : `h${l}`, `w${l}`, `b${l}`], [l === layers.length - 1 ? "y" : `s${l}`], {
          transB: 1,
        }),
        ...(l === layers.length - 1 ? [] : [node("Tanh", [`s${l}`], [`h${l + 1}`])]),
      ]),
      inputs: [value("x", "float", ["n", widths[0]])],
      outputs: [value("y", "float", ["n", widths.at(-1)!])],
      initializers: layers.flatMap(({ outputs, inputs, weight, bias }, l) => [
        tensor(`w${l}`, "float", [outputs, inputs], Array.from(weight)),
        tensor(`b${l}`, "float", [outputs], Array.from(bias)),
      ]),
    },
  });

const trained = (name: keyof typeof draws, steps: number, seed = 1): Promise<ModelOrigin> =>
  originOf(folder.write("dense.onnx", dense(trainedLayers(widths, draws[name], steps, seed))));

describe.each([
  "PyTorch's default, uniform in ±1/√fan_in",
  "Keras glorot_uniform, TensorFlow.js glorotUniform",
  "the edge of chaos of tanh",
  "orthogonal",
] as const)("a network drawn by %s", (name) => {
  it("is fresh, and is not after 300 steps of training", async () => {
    const fresh = await trained(name, 0);
    expect(fresh.model.verdict).toBe("fresh");
    expect(fresh.model.votes.map(({ test }) => test)).toEqual(["biases", "distribution", "spectrum"]);
    const after = await trained(name, 300);
    expect(after.model.verdict).not.toBe("fresh");
  });
});

describe("BatchNormalization", () => {
  it("that looks trained, around weights that look drawn, leaves a model unclear", async () => {
    const { model: found } = await originOf(folder.write("resnet.onnx", resnet({ depth: 32 }).bytes));
    expect(found.votes[0]).toMatchObject({ test: "batch-norm", verdict: "trained" });
    expect(found.verdict).toBe("unclear");
    expect(found.votes.find(({ test }) => test === "distribution")!.verdict).toBe("fresh");
  });
});

it("a transposed convolution and both directions of a recurrent layer are matrices, too", async () => {
  const random = uniform(8);
  const draw = draws["PyTorch's default, uniform in ±1/√fan_in"];
  const lstm = (rows: number, columns: number): number[] => [
    ...draws.orthogonal(rows, columns, random),
    ...draws.orthogonal(rows, columns, random),
  ];
  const path = folder.write(
    "forms.onnx",
    model({
      graph: {
        nodes: [
          node("ConvTranspose", ["image", "t"], ["up"], { strides: [2, 2] }),
          node("LSTM", ["sequence", "w", "r"], ["y"], { hidden_size: 16, direction: "bidirectional" }),
        ],
        inputs: [value("image", "float", [1, 16, 4, 4]), value("sequence", "float", [3, 1, 12])],
        outputs: [value("up", "float", [1, 24, 9, 9]), value("y", "float", [3, 2, 1, 16])],
        initializers: [
          tensor("t", "float", [16, 24, 3, 3], Array.from(draw(16, 24 * 9, random))),
          tensor("w", "float", [2, 64, 12], lstm(64, 12)),
          tensor("r", "float", [2, 64, 16], lstm(64, 16)),
        ],
      },
    }),
  );
  const { layers } = await originOf(path);
  const [transposed, ...recurrent] = layers.map(({ votes }) => votes);
  expect(transposed!.map(({ words }) => words).join(" ")).toMatch(/which is PyTorch's default.*Marchenko-Pastur/);
  for (const votes of recurrent) expect(votes.find(({ test }) => test === "spectrum")!.words).toContain("all equal");
  expect(layers.map(({ verdict }) => verdict)).toEqual(["fresh", "fresh", "fresh"]);
});

it.each(realModels)("$file was trained, or is a bank of filters that nobody drew", async (real) => {
  const { model: found } = await originOf(realModelPath(real));
  expect(found.verdict).toBe("trained");
});
