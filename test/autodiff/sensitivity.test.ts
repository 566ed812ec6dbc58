/** Sensitivities of whole small models: over runs, BatchNormalization's statistics, what has none and why, criteria. */
import { describe, expect, it, vi } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { grasp } from "../../server/src/criteria/grasp.js";
import { taylor } from "../../server/src/criteria/taylor.js";
import type { DataArray } from "../../server/src/data/array.js";
import { Program } from "../../server/src/runtime/program.js";
import { convNet, model, node, normals, tensor, type TestModel, value, weight } from "../support/models.js";
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
