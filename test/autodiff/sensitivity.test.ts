/** Sensitivities of whole small models: over runs, BatchNormalization's statistics, what has none and why, criteria. */
import { describe, expect, it, vi } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { grasp } from "../../server/src/criteria/grasp.js";
import { taylor } from "../../server/src/criteria/taylor.js";
import type { DataArray } from "../../server/src/data/array.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { Program } from "../../server/src/runtime/program.js";
import { counted } from "../support/arrays-on-disk.js";
import {
  convNet,
  graph,
  ifBranches,
  model,
  node,
  normals,
  sparseWeight,
  storedWeight,
  tensor,
  type TestModel,
  tiedWeights,
  value,
  weight,
} from "../support/models.js";
import { relativeError, scored, type Scored, withSensitivity } from "../support/sensitivity.js";

/**
 * Scores that are sums of the same float32 products in another order: each addition rounds by 6e-8 of the terms, which
 * may be larger than their sum.
 */
const rounding = 1e-5;

const floats = (shape: readonly number[], seed = 7): DataArray => ({
  dtype: "float",
  shape,
  values: Float32Array.from(normals(seed, elementCount(shape))),
});
const labels = (count: number, classes: number): DataArray => counted("int64", [count], (i) => (3 * i) % classes);

/** A tanh network [batch or a number, 3] → 5 → 4, with weights `a` and `b`. */
const tanhNet = (batch: number | string = "batch"): TestModel =>
  model({
    graph: {
      nodes: [node("Gemm", ["x", "a"], ["g"]), node("Tanh", ["g"], ["h"]), node("MatMul", ["h", "b"], ["y"])],
      inputs: [value("x", "float", [batch, 3])],
      outputs: [value("y", "float", [batch, 4])],
      initializers: [weight("a", [3, 5], 1), weight("b", [5, 4], 2)],
    },
  });
const eight = { x: floats([8, 3]), labels: labels(8, 4) };

function expectSame(found: Scored, expected: Scored, tolerance = rounding): void {
  expect(Object.keys(found.scores)).toEqual(Object.keys(expected.scores));
  for (const [id, scores] of Object.entries(expected.scores))
    expect(relativeError(found.scores[id]!, scores), id).toBeLessThan(tolerance);
  expect(relativeError([found.loss], [expected.loss])).toBeLessThan(tolerance);
}

describe("runs", () => {
  it.each([
    ["one by one", 1],
    ["by the two", 2],
  ])("give what one run of all gives: %s", async (_, batch) => {
    const whole = await scored(tanhNet(), { data: eight });
    const progress = vi.fn();
    expectSame(await scored(tanhNet(batch), { data: eight, progress }), whole);
    const runs = 8 / batch;
    expect(progress.mock.calls).toEqual([
      ["preparing gradients", 0, 0],
      ...Array.from({ length: runs + 1 }, (_, run) => ["", run, runs]),
    ]);
  });

  it("are counted over both passes of a criterion of second order", async () => {
    const progress = vi.fn();
    await scored(tanhNet(2), { data: eight, criterion: grasp, progress });
    const pass = (words: string, first: number): unknown[] =>
      Array.from({ length: 5 }, (_, i) => [words, first + i, 8]);
    expect(progress.mock.calls).toEqual([
      ["preparing gradients", 0, 0],
      ...pass("first derivatives", 0),
      ["preparing second derivatives", 0, 0],
      ...pass("second derivatives", 4),
    ]);
  });

  it("are as many as the memory for activations needs, and divide the data", async () => {
    const whole = await scored(tanhNet(), { data: eight });
    const progress = vi.fn();
    // Activations, weights and the input are 29 + 35 / 8 floats a sample: a tenth of what eight take.
    expectSame(await scored(tanhNet(), { data: eight, activationBytes: 500, progress }), whole);
    const [, , runs] = progress.mock.calls[1] as [string, number, number];
    expect([2, 4, 8]).toContain(runs);
    // Too little for one sample is no reason to refuse it.
    expectSame(await scored(tanhNet(), { data: eight, activationBytes: 1 }), whole);
  });

  it("keep to stored statistics whatever their number", async () => {
    const net = (batch: number | string): TestModel => fixedBatch(convNet(), batch);
    const data = { x: floats([8, 3, 16, 16]), labels: labels(8, 10) };
    const options = { data, batchNorm: "stored" } as const;
    expectSame(await scored(net(1), options), await scored(net("batch"), options));
  });

  it("stop when the work is cancelled, and give the session back", async () => {
    const close = vi.spyOn(Program.prototype, "close");
    const open = vi.spyOn(Program, "open");
    try {
      let left = 2;
      const checkpoint = (): Promise<void> =>
        left-- > 0 ? Promise.resolve() : Promise.reject(new PruneScopeError("cancelled", "Stopped."));
      const progress = vi.fn();
      const stopped = scored(tanhNet(1), { data: eight, checkpoint, progress });
      await expect(stopped).rejects.toMatchObject({ code: "cancelled" });
      expect(progress.mock.calls).toEqual([
        ["preparing gradients", 0, 0],
        ["", 0, 8],
        ["", 1, 8],
        ["", 2, 8],
      ]);
      expect(close).toHaveBeenCalledTimes(open.mock.calls.length);
    } finally {
      vi.restoreAllMocks();
    }
  });
});

/** A model whose first input and output have this batch axis. */
function fixedBatch(made: TestModel, batch: number | string): TestModel {
  for (const info of [...made.proto.graph!.input, ...made.proto.graph!.output]) {
    const { value: type } = info.type!.value as { value: { shape: { dim: { value: unknown }[] } } };
    type.shape.dim[0]!.value =
      typeof batch === "number" ? { case: "dimValue", value: BigInt(batch) } : { case: "dimParam", value: batch };
  }
  return made;
}

describe("BatchNormalization", () => {
  const trained = (): TestModel => {
    const made = convNet();
    const mean = made.proto.graph!.initializer.find(({ name }) => name === "bn.mean")!;
    mean.rawData = tensor("bn.mean", "float", [8], Array<number>(8).fill(0.5)).rawData;
    return made;
  };
  const data = (count: number): Record<string, DataArray> => ({
    x: floats([count, 3, 16, 16]),
    labels: labels(count, 10),
  });

  it.each<[string, TestModel, Parameters<typeof scored>[1], "stored" | "batch" | null, string]>([
    ["fresh", convNet(), {}, "batch", "statistics of the batch (its layers look freshly initialised)."],
    ["trained", trained(), {}, "stored", "stored statistics (its layers look trained)."],
    ["as asked", trained(), { batchNorm: "batch" }, "batch", "statistics of the batch."],
    ["as asked otherwise", convNet(), { batchNorm: "stored" }, "stored", "stored statistics."],
    [
      "too few samples",
      convNet(),
      { data: data(31) },
      "stored",
      "not the batch's: it takes 32 samples or more, and there are 31.",
    ],
    [
      "too little memory",
      convNet(),
      { activationBytes: 1e6 },
      "stored",
      "not the batch's: the batch does not fit into one run.",
    ],
    ["a fixed batch", fixedBatch(convNet(), 1), {}, "stored", "not the batch's: the model takes 1 sample at a time."],
    [
      "a criterion per sample",
      convNet(),
      { criterion: taylor },
      "stored",
      "not the batch's: this criterion looks at one sample at a time.",
    ],
    ["none", tanhNet(), { data: eight }, null, ""],
  ])("%s", async (_, made, options, mode, words) => {
    const { batchNorm, notes } = await scored(made, { data: data(32), ...options });
    expect(batchNorm).toBe(mode);
    const said = notes.filter((note) => note.startsWith("BatchNormalization"));
    expect(said).toEqual(mode === null ? [] : [expect.stringContaining(words)]);
  });

  it("by the batch: the scale of the convolution before it does not matter", async () => {
    const net = (scale: number): TestModel => {
      const made = convNet();
      const conv = made.proto.graph!.initializer.find(({ name }) => name === "conv1.weight")!;
      conv.rawData = tensor("", "float", [8, 3, 3, 3], normals(5, 216, scale)).rawData;
      return made;
    };
    const options = { data: data(32), batchNorm: "batch" } as const;
    // ε = 1e-5 is added to variances of 1 and 16 times as much; 4 is exact in float32.
    const [one, four] = [await scored(net(1), options), await scored(net(4), options)];
    expectSame(four, one, 1e-4);
  });
});

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

it("says that the loss is not a number", async () => {
  const huge = model({
    graph: {
      nodes: [node("MatMul", ["x", "w"], ["h"]), node("Exp", ["h"], ["e"]), node("Sub", ["e", "e"], ["y"])],
      inputs: [value("x", "float", ["batch", 2])],
      outputs: [value("y", "float", ["batch", 2])],
      initializers: [tensor("w", "float", [2, 2], [1e4, 0, 0, 1e4])],
    },
  });
  await expect(scored(huge)).rejects.toMatchObject({
    code: "non-finite",
    message: expect.stringMatching(/^The loss is NaN: .* Check the scale/) as string,
  });
});

describe("criteria", () => {
  it("Taylor is the mean over samples of the square of SNIP's score of that sample", async () => {
    const found = await scored(tanhNet(), { data: eight, criterion: taylor });
    const single = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        scored(tanhNet(), {
          data: {
            x: {
              ...eight.x,
              shape: [1, 3],
              values: eight.x.values.slice(3 * i, 3 * i + 3),
            },
            labels: {
              ...eight.labels,
              shape: [1],
              values: eight.labels.values.slice(i, i + 1),
            },
          },
        }),
      ),
    );
    for (const [id, scores] of Object.entries(found.scores)) {
      const mean = scores.map((_, j) => single.reduce((sum, one) => sum + one.scores[id]![j]! ** 2, 0) / 8);
      expect(relativeError(scores, mean), id).toBeLessThan(rounding);
    }
  });

  it("Taylor says so when the model does not take single samples", async () => {
    const { notes } = await scored(tanhNet(2), { data: eight, criterion: taylor });
    expect(notes).toContain("The model takes 2 samples at a time: each run counts as one.");
  });

  it("GraSP is w · Hg: the change of ½|g|² along any direction", async () => {
    const gradient = {
      perSample: false,
      temperature: 200,
      step: (_b: unknown, _w: unknown, g: string) => g,
      finish: (_b: unknown, _w: unknown, g: string) => g,
    };
    const direction = { a: normals(11, 15), b: normals(12, 20) };
    /** ½|∇L|² of the network with its weights moved by t along the direction. */
    const halfNorm = async (t: number): Promise<number> => {
      const made = tanhNet();
      for (const one of made.proto.graph!.initializer) {
        const before = new Float32Array(Uint8Array.from(one.rawData).buffer);
        const along = direction[one.name as "a" | "b"];
        one.rawData = tensor(
          "",
          "float",
          [before.length],
          before.map((w, i) => w + t * along[i]!),
        ).rawData;
      }
      const parts = await withSensitivity(made, { data: eight }, (engine) => engine.gradients(gradient));
      return parts.reduce((sum, part) => sum + part!.reduce((all, g) => all + g * g, 0), 0) / 2;
    };
    const { scores, weights } = await scored(tanhNet(), { data: eight, criterion: grasp });
    const product = Object.entries(scores).reduce(
      (sum, [id, part]) =>
        sum + part.reduce((all, s, i) => all + (s / weights[id]![i]!) * direction[id as "a" | "b"][i]!, 0),
      0,
    );
    // Central differences with a step of 1e-2: the error is its square times a third derivative of order 1, and float32
    // rounding of the norm (1e-7) over the step.
    const step = 1e-2;
    const slope = ((await halfNorm(step)) - (await halfNorm(-step))) / (2 * step);
    expect(Math.abs(product / slope - 1)).toBeLessThan(1e-2);
  });

  it("GraSP over several runs is GraSP of the whole", async () => {
    const whole = await scored(tanhNet(), { data: eight, criterion: grasp });
    expectSame(await scored(tanhNet(2), { data: eight, criterion: grasp }), whole);
  });
});
