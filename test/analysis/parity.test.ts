/**
 * What is lowered is proven: original in TensorFlow.js and lowered graph in ONNX Runtime agree, what differs is an error
 * and nothing is saved then, what cannot be lowered is said to be unproven, and a file is compared once.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProvenParity } from "../../server/protocol/parity.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { type OpenModel, withModel } from "../../server/src/analysis/open-model.js";
import { parity, parityOf } from "../../server/src/analysis/parity.js";
import { save } from "../../server/src/analysis/save.js";
import { verify } from "../../server/src/analysis/verify.js";
import type { Constant } from "../../server/src/graph/graph.js";
import { quietContext } from "../support/job-context.js";
import { graphModel, layersModel, node, placeholder, writeTfjs } from "../support/tfjs/index.js";

const folder = mkdtempSync(join(tmpdir(), "prunescope-parity-"));
let path: string;
/** The same with weights as float32. */
let plain: string;

/** Two convolutions, with weights so few that the graph holds them and a test can edit them there. */
beforeAll(async () => {
  const model = await layersModel(() => {
    const x = tf.input({ shape: [null, null, 3], name: "image" });
    const conv = tf.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "relu" }).apply(x);
    const last = tf.layers.conv2d({ filters: 2, kernelSize: 1, name: "last" }).apply(conv) as tf.SymbolicTensor;
    return tf.model({ inputs: x, outputs: last });
  });
  path = writeTfjs(join(folder, "model"), model, { quantise: "uint8" });
  plain = writeTfjs(join(folder, "plain"), model);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const params = (model = path) => ({ uri: model, path: model, seed: 0, dynamicAxes: {} });

/** The open model with all constants of a rank changed in the lowered graph, and not in the files. */
function edited(open: OpenModel, rank: number, change: (value: number) => number): OpenModel {
  const { graph } = open.model;
  const constants = [...graph.constants].map(([name, constant]): [string, Constant] => {
    if (constant.inline === null || constant.tensor.dtype !== "float" || constant.tensor.shape.length !== rank)
      return [name, constant];
    const values = new Float32Array(constant.inline.slice().buffer).map(change);
    return [name, { ...constant, inline: new Uint8Array(values.buffer) }];
  });
  return { ...open, model: { ...open.model, graph: { ...graph, constants: new Map(constants) } } };
}

const judged = (change: (open: OpenModel) => OpenModel) =>
  withModel(path, (open) => parityOf(change(open), 0, {}, quietContext()));

describe("parity", () => {
  it("of a right lowering is proven, with backend, reason, input and figures", async () => {
    const found = (await parity(params(), quietContext())) as ProvenParity;
    expect(found).toMatchObject({ proven: true, backend: "wasm", version: "4.22.0", allowed: 1e-5 });
    expect(found.reason).toContain("@tensorflow/tfjs-node is not part of this installation");
    expect(found.input).toContain("image float[1, 64, 64, 3]");
    expect(found.outputs).toHaveLength(1);
    // Sums of 27 and of 4 products in float32: some units in the last place.
    expect(found.relative).toBeLessThan(1e-6);
    expect(found.relative).toBe(Math.max(...found.outputs.map(({ relative }) => relative!)));
  });

  it("of a wrong lowering is an error that names output, difference and backend", async () => {
    const wrong = judged((open) => edited(open, 1, (bias) => bias + 0.01));
    await expect(wrong).rejects.toMatchObject({ code: "parity", about: { file: path, value: "last" } });
    await expect(wrong).rejects.toThrow(
      /^The lowered graph does not compute what the original does: output "last" differs by [\d.e-]+, which is [\d.e-]+ of its largest value where [\d.e-]+ is allowed\. The original ran in TensorFlow\.js 4\.22\.0 \(wasm\)/,
    );
  });

  it("is lost by a difference that is small, and yet four times what rounding does", async () => {
    await expect(judged((open) => edited(open, 1, (bias) => bias + 2e-4))).rejects.toMatchObject({ code: "parity" });
  });

  it("is lost where NaN stands against a number", async () => {
    await expect(judged((open) => edited(open, 1, () => NaN))).rejects.toThrow("NaN stands against a number");
  });

  it("is said to be unproven where something has no lowering", async () => {
    const model = graphModel({
      inputs: [placeholder("x", [1, 3])],
      nodes: [node("NoSuchOperator", "odd", ["x"]), node("Relu", "y", ["odd"])],
      outputs: ["y"],
    });
    const found = await parity(params(writeTfjs(join(folder, "odd"), model)), quietContext());
    expect(found).toMatchObject({ proven: false, reason: expect.stringContaining('"odd" (NoSuchOperator)') as string });
  });

  it("is found out once for a file", async () => {
    const context = quietContext(join(folder, "storage"));
    const first = await parity(params(), context);
    // Whatever runs again fails: there is no such script.
    const broken: JobContext = { ...context, tfjs: join(folder, "dist", "nothing.js") };
    expect(await parity(params(), { ...context, progress: () => expect.unreachable() })).toEqual(first);
    await expect(parity({ ...params(), seed: 1 }, broken)).rejects.toMatchObject({ code: "engine-crash" });
  });
});

describe("a model that computes something else than its original", () => {
  /** TensorFlow.js, as it were, with other numbers. */
  const otherNumbers = (): JobContext => {
    mkdirSync(join(folder, "fake"), { recursive: true });
    const tfjs = join(folder, "fake", "tfjs.js");
    writeFileSync(
      tfjs,
      `process.on("message", ({ inputs: [{ shape }] }) => {
        const [n, h, w] = shape;
        const data = new Float32Array(n * h * w * 2).fill(1);
        process.send({ type: "outputs", outputs: [{ name: "last", dtype: "float32", shape: [n, h, w, 2], data }] });
      });
      process.send({ type: "ready", version: "4.22.0" });`,
    );
    return { ...quietContext(), tfjs };
  };
  const target = (): string => join(folder, "pruned", "model.json");
  const saving = { recipe: { ...defaultRecipe, sparsity: 0.5 }, replaceOriginal: false, metadata: true };

  it("is not saved", async () => {
    const saved = save({ ...params(plain), ...saving, target: target() }, otherNumbers());
    await expect(saved).rejects.toMatchObject({ code: "parity" });
    expect(existsSync(target())).toBe(false);
  });

  it("is told from one that does, which is saved, runs in TensorFlow.js, and is refused by verify otherwise", async () => {
    mkdirSync(join(folder, "pruned"), { recursive: true });
    await save({ ...params(plain), ...saving, target: target() }, quietContext());
    const { parity: found } = await verify({ ...params(plain), pruned: target() }, quietContext());
    expect(found).toMatchObject({ proven: true, backend: "wasm" });
    await expect(verify({ ...params(plain), pruned: target() }, otherNumbers())).rejects.toMatchObject({
      code: "parity",
    });
  });
});
