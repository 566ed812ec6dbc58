/** Weights of small models one by one: which have no score and why, and those that are in several places or forms. */
import { describe, expect, it } from "vitest";
import type { DataArray } from "../../server/src/data/array.js";
import { counted } from "../support/arrays-on-disk.js";
import {
  graph,
  ifBranches,
  model,
  node,
  sparseWeight,
  storedWeight,
  tensor,
  type TestModel,
  tiedWeights,
  value,
  weight,
} from "../support/models.js";
import {
  expectSame,
  fixedBatch,
  floats,
  labels,
  relativeError,
  rounding,
  scored,
  withSensitivity,
} from "../support/sensitivity.js";

describe("weights without a score", () => {
  it("are cut off by the operator that has no gradient, with its node, operator set and layers", async () => {
    const made = model({
      opset: 18,
      graph: {
        nodes: [
          node("Conv", ["x", "before"], ["c"]),
          node("LpPool", ["c"], ["pooled"], { kernel_shape: [2, 2] }, { name: "pool" }),
          node("Flatten", ["pooled"], ["flat"]),
          node("Gemm", ["flat", "after"], ["y"]),
        ],
        inputs: [value("x", "float", ["batch", 1, 3, 3])],
        outputs: [value("y", "float", ["batch", 3])],
        initializers: [weight("before", [2, 1, 1, 1], 1), weight("after", [8, 3], 2)],
      },
    });
    const { scores, unscored, notes } = await scored(made, { batch: 4 });
    expect(Object.keys(scores)).toEqual(["after"]);
    expect(unscored["before"]).toBe(
      'its gradient is cut off by node "pool" (LpPool, opset 18): there is no gradient for LpPool',
    );
    expect(notes).toContain('No gradient: node "pool" (LpPool, opset 18): there is no gradient for LpPool.');
  });

  it("are an error where there is no other, with the operator", async () => {
    const made = model({
      opset: 18,
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("LpPool", ["h"], ["y"], { kernel_shape: [2] })],
        inputs: [value("x", "float", [1, 2, 3])],
        outputs: [value("y", "float", [1, 2, 3])],
        initializers: [weight("w", [3, 4], 1)],
      },
    });
    await expect(scored(made)).rejects.toMatchObject({
      code: "missing-gradient",
      about: { operator: "LpPool", opset: 18 },
      message: expect.stringMatching(/^No layer has a gradient: "w" has none because .*LpPool, opset 18/) as string,
    });
  });

  it("are stored as a sparse tensor", async () => {
    await expect(scored(sparseWeight())).rejects.toMatchObject({
      code: "unsupported-op",
      message: expect.stringMatching(/"w" has none because it is stored as a sparse tensor/) as string,
    });
  });

  /** A scored layer `w`, and another beside it. */
  const beside = (parts: {
    readonly nodes: Parameters<typeof model>[0]["graph"]["nodes"];
    readonly initializers?: NonNullable<Parameters<typeof model>[0]["graph"]["initializers"]>;
    readonly sparse?: NonNullable<Parameters<typeof model>[0]["graph"]["sparse"]>;
    readonly inputs?: NonNullable<Parameters<typeof model>[0]["graph"]["inputs"]>;
    readonly outputs?: Parameters<typeof model>[0]["graph"]["outputs"];
  }): TestModel =>
    model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), ...parts.nodes],
        inputs: [value("x", "float", ["batch", 6]), ...(parts.inputs ?? [])],
        outputs: [value("y", "float", ["batch", 8]), ...(parts.outputs ?? [])],
        initializers: [weight("w", [6, 8], 1), ...(parts.initializers ?? [])],
        sparse: parts.sparse ?? [],
      },
    });

  it.each<[string, TestModel, string]>([
    [
      "of another output",
      beside({
        nodes: [node("Identity", ["h"], ["y"]), node("MatMul", ["x", "other"], ["z"])],
        initializers: [weight("other", [6, 2], 2)],
        outputs: [value("z", "float", ["batch", 2])],
      }),
      'the loss of output "y" does not depend on it',
    ],
    [
      "that nothing uses",
      beside({
        nodes: [node("Identity", ["h"], ["y"]), node("MatMul", ["x", "other"], ["z"])],
        initializers: [weight("other", [6, 2], 2)],
      }),
      "it is not on the path that the inputs take",
    ],
    [
      "of float16 that is computed with as such",
      beside({
        nodes: [
          node("Cast", ["x"], ["half"], { to: 10 }),
          node("MatMul", ["half", "other"], ["z"]),
          node("Cast", ["z"], ["wide"], { to: 1 }),
          node("Add", ["h", "wide"], ["y"]),
        ],
        initializers: [weight("other", [6, 8], 2, "float16")],
      }),
      "its elements are float16; gradients are taken of float32 weights",
    ],
  ])("%s", async (_, made, reason) => {
    const { scores, unscored } = await scored(made, { batch: 4, loss: ":y" });
    expect(Object.keys(scores)).toEqual(["w"]);
    expect(unscored).toEqual({ other: reason });
  });

  it("lie in the branch that is not taken", async () => {
    const data = (flag: number): Record<string, DataArray> => ({
      x: floats([2, 6]),
      flag: counted("bool", [], () => flag),
    });
    for (const [flag, taken, other] of [
      [1, "y.then_branch/then.weight", "y.else_branch/else.weight"],
      [0, "y.else_branch/else.weight", "y.then_branch/then.weight"],
    ] as const) {
      const { scores, unscored, notes } = await scored(ifBranches(), { data: data(flag), batch: 2 });
      expect(Object.keys(scores)).toEqual([taken]);
      expect(unscored).toEqual({ [other]: "it is not on the path that the inputs take" });
      expect(notes).toContainEqual(
        expect.stringMatching(/^If ".*" takes its (then|else)_branch: .*given input "flag"/),
      );
    }
  });

  /** y = x · (then or else, by whether the elements of x sum to more than 0) + h. */
  const byData = (): TestModel =>
    beside({
      nodes: [
        node("ReduceSum", ["x"], ["sum"], { keepdims: 0 }),
        node("Greater", ["sum", "zero"], ["positive"]),
        node("If", ["positive"], ["z"], {
          then_branch: graph({
            nodes: [node("MatMul", ["x", "then"], ["t"])],
            outputs: [value("t", "float", ["batch", 8])],
            initializers: [weight("then", [6, 8], 2)],
          }),
          else_branch: graph({
            nodes: [node("MatMul", ["x", "else"], ["e"])],
            outputs: [value("e", "float", ["batch", 8])],
            initializers: [weight("else", [6, 8], 3)],
          }),
        }),
        node("Add", ["h", "z"], ["y"]),
      ],
      initializers: [tensor("zero", "float", [], [0])],
    });
  const undecided =
    'its condition depends on the elements of "x" and is not the same for all of the data: use data that takes one branch, or a batch of 1';
  const ramp = (sign: (i: number) => number): Record<string, DataArray> => ({
    x: counted("float", [4, 6], (i) => sign(Math.floor(i / 6)) * (1 + (i % 6))),
  });

  it("lie in the branch that no sample takes", async () => {
    const { scores, unscored, notes } = await scored(fixedBatch(byData(), 1), { data: ramp(() => 1) });
    expect(Object.keys(scores)).toEqual(["w", "z.then_branch/then"]);
    expect(unscored).toEqual({ "z.else_branch/else": "it is not on the path that the inputs take" });
    expect(notes).toContain('If "z" takes its then_branch: its condition is true for all of the data.');
  });

  it("lie in branches between which the data decides", async () => {
    const data = ramp((sample) => (sample === 2 ? -1 : 1));
    const { scores, unscored, notes } = await scored(fixedBatch(byData(), 1), { data });
    expect(Object.keys(scores)).toEqual(["w"]);
    const reason = "it is in a branch or a loop body that stays one";
    expect(unscored).toEqual({ "z.then_branch/then": reason, "z.else_branch/else": reason });
    expect(notes).toContain(`If "z" stays: ${undecided}.`);
  });

  it("lie before such branches, and say why these stay", async () => {
    const branch = (op: string): ReturnType<typeof graph> =>
      graph({ nodes: [node(op, ["h"], [op])], outputs: [value(op, "float", [1, 8])] });
    const before = model({
      graph: {
        nodes: [
          node("ReduceSum", ["x"], ["sum"], { keepdims: 0 }),
          node("Greater", ["sum", "zero"], ["positive"]),
          node("MatMul", ["x", "w"], ["h"]),
          node("MatMul", ["x", "v"], ["g"]),
          node("If", ["positive"], ["z"], { then_branch: branch("Relu"), else_branch: branch("Neg") }),
          node("Add", ["z", "g"], ["y"]),
        ],
        inputs: [value("x", "float", [1, 6])],
        outputs: [value("y", "float", [1, 8])],
        initializers: [weight("w", [6, 8], 1), weight("v", [6, 8], 2), tensor("zero", "float", [], [0])],
      },
    });
    const { scores, unscored } = await scored(before, { data: ramp((sample) => (sample === 2 ? -1 : 1)) });
    expect(Object.keys(scores)).toEqual(["v"]);
    expect(unscored["w"]).toMatch(/^its gradient is cut off by node "z" \(If, opset \d+\): /);
    expect(unscored["w"]).toContain(undecided);
  });
});

describe("weights in several places", () => {
  it("that are tied have the sum of the gradients", async () => {
    const made = tiedWeights();
    const embedding = made.proto.graph!.initializer[0]!;
    const separate = model({
      graph: {
        nodes: [
          node("MatMul", ["x", "first"], ["h"]),
          node("Transpose", ["second"], ["t"], { perm: [1, 0] }),
          node("MatMul", ["h", "t"], ["y"]),
        ],
        inputs: [value("x", "float", ["batch", 12])],
        outputs: [value("y", "float", ["batch", 12])],
        initializers: ["first", "second"].map((name) => ({ ...embedding, name })),
      },
    });
    const data = { x: floats([8, 12]), labels: labels(8, 12) };
    const gradients = (of: TestModel): Promise<readonly (Float32Array | null)[]> =>
      withSensitivity(of, { data }, (engine) =>
        engine.gradients({ perSample: false, temperature: 1, step: (_b, _w, g) => g, finish: (_b, _w, g) => g }),
      );
    const [sum] = await gradients(made);
    const [first, second] = await gradients(separate);
    expect(
      relativeError(
        sum!,
        first!.map((g, i) => g + second![i]!),
      ),
    ).toBeLessThan(rounding);
  });

  it.each<[string, readonly string[]]>([
    ["integers behind one DequantizeLinear", ["wide"]],
    ["integers behind two of them", ["wide", "again"]],
  ])("%s have the scores of the numbers they stand for", async (_, names) => {
    const codes = Array.from({ length: 48 }, (_, i) => ((i * 37) % 200) - 100);
    const scale = Array.from({ length: 8 }, (_, i) => (i + 1) / 256);
    const network = (
      first: Parameters<typeof model>[0]["graph"]["nodes"],
      initializers: ReturnType<typeof tensor>[],
    ): TestModel =>
      model({
        graph: {
          nodes: [
            ...first,
            node("MatMul", ["x", names[0]!], ["g"]),
            node("Tanh", ["g"], ["h"]),
            node("MatMul", ["x", names.at(-1)!], ["k"]),
            node("Mul", ["h", "k"], ["y"]),
          ],
          inputs: [value("x", "float", ["batch", 6])],
          outputs: [value("y", "float", ["batch", 8])],
          initializers,
        },
      });
    const quantised = network(
      names.map((name) => node("DequantizeLinear", ["w", "scale", "zero"], [name], { axis: 1 })),
      [
        tensor("w", "int8", [6, 8], codes),
        tensor("scale", "float", [8], scale),
        tensor("zero", "int8", [8], [0, 1, 2, 3, 0, -1, -2, -3]),
      ],
    );
    const numbers = codes.map((code, i) => (code - [0, 1, 2, 3, 0, -1, -2, -3][i % 8]!) * scale[i % 8]!);
    const plain = network(
      names.map((name) => node("Identity", ["w"], [name])),
      [tensor("w", "float", [6, 8], numbers)],
    );
    const data = { x: floats([8, 6]) };
    expectSame(await scored(quantised, { data }), await scored(plain, { data }));
  });

  it("stored as float16 behind a Cast have the scores of the numbers they stand for", async () => {
    const shape = [6, 8] as const;
    // Whole numbers are exact in float16.
    const values = Array.from({ length: 48 }, (_, i) => ((i * 7) % 11) - 5);
    const data = { x: floats([2, 6]) };
    const half = await scored(storedWeight({ dtype: "float16", storage: "raw", shape, values }), { data });
    expectSame(half, await scored(storedWeight({ dtype: "float", storage: "raw", shape, values }), { data }));
  });
});
