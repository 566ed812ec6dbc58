/** What follows a layer: every form that exporters write is recognised, and what takes a layer out of the theory is named. */
import type { NodeProto, TensorProto } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { isCovered, type LayerSite, layerSites } from "../../../server/src/meanfield/sites/index.js";
import { activationPatterns } from "../../cases/activation-patterns.js";
import { model, node, type TestModel } from "../../support/model-builder.js";
import { ModelFolder, reading } from "../../support/model-folder.js";
import { weight } from "../../support/model-networks.js";
import { tensor, value } from "../../support/model-tensors.js";

async function sitesOf(made: TestModel): Promise<readonly LayerSite[]> {
  const folder = new ModelFolder();
  try {
    let sites: Promise<readonly LayerSite[]> | null = null;
    reading(folder.write("model.onnx", made), ({ model: read, search }) => {
      sites = layerSites(read, search.weights, 1);
    });
    return await sites!;
  } finally {
    folder.dispose();
  }
}

/** Gemm, something, Gemm. */
const between = (nodes: readonly NodeProto[], constants: readonly TensorProto[] = [], opset = 17): TestModel =>
  model({
    opset,
    graph: {
      nodes: [
        node("Gemm", ["input", "w1", "b1"], ["x"], { transB: 1 }),
        ...nodes,
        node("Gemm", ["y", "w2"], ["output"], { transB: 1 }),
      ],
      inputs: [value("input", "float", ["n", 4])],
      outputs: [value("output", "float", ["n", 3])],
      initializers: [
        weight("w1", [8, 4], 1),
        tensor("b1", "float", [8], [1, 2, 3, 4, 5, 6, 7, 8]),
        weight("w2", [3, 8], 2),
        ...constants,
      ],
    },
  });

describe("activations", () => {
  it.each(activationPatterns)("$name", async ({ nodes, constants = [], activation, opset = 20 }) => {
    const [first, last] = await sitesOf(between(nodes, constants, opset));
    expect(first!.activation?.name ?? null).toBe(activation);
    expect(isCovered(first!)).toBe(activation !== null);
    if (activation === null) expect(first!.limits.map(({ kind }) => kind)).toContain("unknown-activation");
    expect(first!.fanIn).toBe(4);
    expect(first!.bias?.name).toBe("b1");
    expect(last!.limits.map(({ kind }) => kind)).toEqual(["last"]);
    expect(last!.bias).toBeNull();
  });
});

describe("what takes a layer out of the theory", () => {
  const row = (name: string, count: number): TensorProto =>
    tensor(name, "float", [count], Array<number>(count).fill(1));
  const cases: readonly (readonly [string, readonly NodeProto[], readonly TensorProto[], string, string | null])[] = [
    ["no activation", [node("Identity", ["x"], ["y"])], [], "no-activation", null],
    [
      "a norm, with the activation behind it",
      [node("LayerNormalization", ["x", "scale"], ["n"]), node("Relu", ["n"], ["y"])],
      [row("scale", 8)],
      "normalised",
      "relu",
    ],
    [
      "a norm spelt out",
      [
        node("ReduceMean", ["x"], ["m"], { axes: [-1] }),
        node("Sub", ["x", "m"], ["d"]),
        node("Mul", ["d", "d"], ["s"]),
        node("ReduceMean", ["s"], ["v"], { axes: [-1] }),
        node("Sqrt", ["v"], ["r"]),
        node("Div", ["d", "r"], ["n"]),
        node("Mul", ["n", "scale"], ["g"]),
        node("Relu", ["g"], ["y"]),
      ],
      [row("scale", 8)],
      "normalised",
      "relu",
    ],
    [
      "a sum with another path",
      [node("MatMul", ["input", "u"], ["p"]), node("Add", ["x", "p"], ["a"]), node("Relu", ["a"], ["y"])],
      [weight("u", [4, 8], 5)],
      "residual",
      "relu",
    ],
    [
      "a product with another path",
      [node("MatMul", ["input", "u"], ["p"]), node("Mul", ["x", "p"], ["y"])],
      [weight("u", [4, 8], 5)],
      "gated",
      null,
    ],
    ["a softmax inside the network", [node("Softmax", ["x"], ["y"])], [], "attention", null],
  ];

  it.each(cases)("%s", async (_name, nodes, constants, kind, activation) => {
    const sites = await sitesOf(between(nodes, constants));
    const first = sites.find(({ weight: { name } }) => name === "w1")!;
    expect(first.limits.map((limit) => limit.kind)).toEqual([kind]);
    expect(first.limits[0]!.words).toMatch(/\.$/);
    expect(first.activation?.name ?? null).toBe(activation);
    expect(isCovered(first)).toBe(false);
  });

  it("tied weights", async () => {
    const made = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["a"]), node("Tanh", ["a"], ["h"]), node("MatMul", ["h", "w"], ["y"])],
        inputs: [value("x", "float", [1, 6])],
        outputs: [value("y", "float", [1, 6])],
        initializers: [weight("w", [6, 6], 3)],
      },
    });
    const [site] = await sitesOf(made);
    expect(site!.limits.map(({ kind }) => kind)).toEqual(["tied"]);
  });
});
