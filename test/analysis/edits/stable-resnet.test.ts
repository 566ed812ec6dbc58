/**
 * Stable ResNet on files: with nodes and folded it is the network that was written with y = x + F(x)/√L in the first
 * place; what cannot be folded is refused with its reason; the proof by running finds a factor that is missing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type NodeProto, type TensorProto } from "onnx-buf";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { proveStable } from "../../../server/src/analysis/edits/stable-proof.js";
import { foldStable, stableScales } from "../../../server/src/analysis/edits/stable-resnet.js";
import { save } from "../../../server/src/analysis/save.js";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { quietContext } from "../../support/job-context.js";
import { ModelFolder, saveParams } from "../../support/model-folder.js";
import { ExternalFile, model, modelBytes, node, tensor, type TestModel, value, weight } from "../../support/models.js";
import { type Network, resnet, vit } from "../../support/networks/index.js";
import { wideResnet } from "../../support/networks/wide-resnet.js";
import { relativeDifference, runBytes } from "../../support/run-model.js";
import { writeCopy } from "../../support/write-copy.js";

let folder: ModelFolder;
beforeAll(() => {
  folder = new ModelFolder();
});
afterAll(() => {
  folder.dispose();
});

const context = quietContext();

const nothing = { folded: [], axes: {}, seed: 1 } as const;
const tiny = { batch: 2, classes: 3, size: 16 } as const;
/** Rounding of float32 through thirty layers, in another order. */
const rounding = 1e-5;

const feedsOf = ({ feeds }: Network): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [name, new Tensor("float32", data, shape)]),
  );

/** The network with its Mul nodes taken out: every number stays. */
function withoutMuls(bytes: Uint8Array): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, bytes);
  const main = proto.graph!;
  const muls = new Map(
    main.node.filter(({ opType }) => opType === "Mul").map((one) => [one.output[0]!, one.input[0]!]),
  );
  expect(muls.size).toBe(15);
  main.node = main.node.filter(({ opType }) => opType !== "Mul");
  for (const one of main.node) one.input = one.input.map((name) => muls.get(name) ?? name);
  return toBinary(ModelProtoSchema, proto);
}

describe("a ResNet-32", () => {
  const stable = resnet({ depth: 32, width: 4, stable: true, ...tiny });
  const plain = withoutMuls(stable.bytes);
  const feeds = feedsOf(stable);

  test("with nodes and folded is the one that was written stable; the plain one is not", async () => {
    await withModel(folder.write("plain.onnx", plain), async (open) => {
      const expected = await runBytes(stable.bytes, feeds);
      expect(relativeDifference(expected, await runBytes(plain, feeds))).toBeGreaterThan(0.1);

      const { scales, report } = await stableScales(open, context);
      expect(scales.map(({ factor, dtype }) => [factor, dtype])).toEqual(
        scales.map(() => [1 / Math.sqrt(15), "float"]),
      );
      expect(report.changes.length).toBe(15);
      const mul = await writeCopy(folder.place(), open, scales);
      expect(relativeDifference(expected, await runBytes(mul, feeds))).toBeLessThan(rounding);
      expect((await proveStable(open, mul, scales, nothing, context)).difference).toBeLessThan(rounding);

      const folding = foldStable(open);
      // γ and β of the last norm of every branch.
      expect(folding.tensors.map(({ constant }) => constant.name.replace(/\d+/, ""))).toEqual(
        Array.from({ length: 15 }, () => ["bn.scale", "bn.bias"]).flat(),
      );
      const folded = await writeCopy(folder.place(), open, [], folding.edits);
      expect(relativeDifference(expected, await runBytes(folded, feeds))).toBeLessThan(rounding);
      const options = { ...nothing, folded: folding.tensors.map(({ constant }) => constant) };
      expect((await proveStable(open, folded, scales, options, context)).difference).toBeLessThan(rounding);
      // Same length: only numbers changed.
      expect(readFileSync(folded).length).toBe(plain.length);
    });
  });

  test("the proof fails where one branch of the file misses its factor", async () => {
    await withModel(folder.write("plain.onnx", plain), async (open) => {
      const { scales } = await stableScales(open, context);
      const mul = await writeCopy(folder.place(), open, scales.slice(1));
      await expect(proveStable(open, mul, scales, nothing, context)).rejects.toThrow(
        /does not compute what a Stable ResNet should: outputs differ by/,
      );
      const folding = foldStable(open);
      const folded = await writeCopy(folder.place(), open, [], folding.edits.slice(2));
      const options = { ...nothing, folded: folding.tensors.map(({ constant }) => constant) };
      await expect(proveStable(open, folded, scales, options, context)).rejects.toThrow(/Do not use it/);
    });
  });

  test.each(["mul", "fold"] as const)("pruned and saved as %s, it is proved under its mask", async (form) => {
    const path = folder.write("plain.onnx", plain);
    const target = folder.file(`pruned-${form}.onnx`);
    const saved = await save(saveParams(path, { target, recipe: { sparsity: 0.6, stableResnet: form } }), context);
    expect(saved.edits.map(({ edit }) => edit)).toEqual(["stable-resnet"]);
    await withModel(path, async (open) => {
      const { scales } = await stableScales(open, context);
      const folded = form === "mul" ? [] : foldStable(open).tensors.map(({ constant }) => constant);
      expect((await proveStable(open, target, scales, { ...nothing, folded }, context)).difference).toBeLessThan(
        rounding,
      );
    });
  });

  test("is not made stable twice", async () => {
    await withModel(folder.write("stable.onnx", stable.bytes), async (open) => {
      await expect(stableScales(open, context)).rejects.toThrow(
        /is a Stable ResNet already: each of its 15 residual branches is multiplied by 1\/√15/,
      );
      expect(() => foldStable(open)).toThrow(/already/);
    });
  });
});

test.each<[name: string, make: () => Network, tensors: number]>([
  // The last convolution of every branch, without a bias.
  ["a WRN with pre-activation", () => wideResnet({ depth: 16, ...tiny, size: 8 }), 6],
  // Weight and bias of the last product of attention and of the perceptron, by Add.
  ["a ViT", () => vit({ dim: 8, heads: 2, depth: 2, patch: 8, ...tiny }), 8],
])("%s is the same with nodes and folded", async (_name, make, tensors) => {
  const network = make();
  await withModel(folder.write("network.onnx", network.bytes), async (open) => {
    const { scales } = await stableScales(open, context);
    const folding = foldStable(open);
    expect(folding.tensors.length).toBe(tensors);
    const [mul, folded] = [
      await writeCopy(folder.place(), open, scales),
      await writeCopy(folder.place(), open, [], folding.edits),
    ];
    const feeds = feedsOf(network);
    expect(relativeDifference(await runBytes(mul, feeds), await runBytes(folded, feeds))).toBeLessThan(rounding);
    expect(relativeDifference(await runBytes(network.bytes, feeds), await runBytes(folded, feeds))).toBeGreaterThan(
      1e-2,
    );
    const options = { ...nothing, folded: folding.tensors.map(({ constant }) => constant) };
    expect((await proveStable(open, folded, scales, options, context)).words).toMatch(
      /^Run on synthetic values .* computes/,
    );
  });
});

/** Two blocks x + W2 tanh(W1 x) on [2, 4], the numbers of F's last layer as they are given. */
function twoBlocks(
  last: (block: number, from: string, to: string) => { nodes: NodeProto[]; initializers: TensorProto[] },
  external: readonly ExternalFile[] = [],
): TestModel {
  const blocks = [0, 1].map((i) => {
    const [x, h, t, f, y] = [i === 0 ? "x" : "y0", `h${i}`, `t${i}`, `f${i}`, i === 0 ? "y0" : "y"];
    const { nodes, initializers } = last(i, t, f);
    return {
      nodes: [node("MatMul", [x, `a${i}`], [h]), node("Tanh", [h], [t]), ...nodes, node("Add", [x, f], [y])],
      initializers: [weight(`a${i}`, [4, 4], i), ...initializers],
    };
  });
  return model({
    opset: 13,
    external,
    graph: {
      nodes: blocks.flatMap(({ nodes }) => nodes),
      initializers: blocks.flatMap(({ initializers }) => initializers),
      inputs: [value("x", "float", [2, 4])],
      outputs: [value("y", "float", [2, 4])],
    },
  });
}

const plainLast = (i: number, from: string, to: string): { nodes: NodeProto[]; initializers: TensorProto[] } => ({
  nodes: [node("Gemm", [from, `b${i}`, `c${i}`], [to])],
  initializers: [weight(`b${i}`, [4, 4], 10 + i), weight(`c${i}`, [4], 20 + i)],
});

test("two blocks are what the formula says, computed by hand", async () => {
  const made = twoBlocks(plainLast);
  const path = folder.write("two.onnx", made);
  const x = Float32Array.from({ length: 8 }, (_, i) => Math.sin(i));
  await withModel(path, async (open) => {
    const folded = await writeCopy(folder.place(), open, [], foldStable(open).edits);
    const numbers = new Map(
      made.proto.graph!.initializer.map(({ name, rawData }) => [
        name,
        new Float32Array(Uint8Array.from(rawData).buffer),
      ]),
    );
    let h = [...x];
    for (const i of [0, 1]) {
      const product = (v: number[], w: Float32Array): number[] =>
        v.map((_, at) => {
          const row = at - (at % 4);
          return [0, 1, 2, 3].reduce((sum, k) => sum + v[row + k]! * w[4 * k + (at % 4)]!, 0);
        });
      const f = product(product(h, numbers.get(`a${i}`)!).map(Math.tanh), numbers.get(`b${i}`)!);
      h = h.map((v, at) => v + (f[at]! + numbers.get(`c${i}`)![at % 4]!) / Math.SQRT2);
    }
    const { y } = await runBytes(folded, { x: new Tensor("float32", x, [2, 4]) });
    [...(y!.data as Float32Array)].forEach((v, at) => {
      // float32 sums of four products.
      expect(Math.abs(v - h[at]!)).toBeLessThan(1e-6);
    });
  });
});

describe("where the numbers lie", () => {
  const file = new ExternalFile("weights.bin");
  test.each<[name: string, made: TestModel]>([
    [
      "in external data",
      twoBlocks(
        (i, from, to) => ({
          nodes: [node("MatMul", [from, `b${i}`], [to])],
          initializers: [weight(`b${i}`, [4, 4], i + 5, "float", { file, alignment: 32 })],
        }),
        [file],
      ),
    ],
    [
      "in Constant nodes, behind Transpose",
      twoBlocks((i, from, to) => ({
        nodes: [
          node("Constant", [], [`b${i}`], { value: weight("", [4, 4], i + 5) }),
          node("Transpose", [`b${i}`], [`bt${i}`]),
          node("MatMul", [from, `bt${i}`], [`m${i}`]),
          node("Constant", [], [`c${i}`], { value: weight("", [4], i) }),
          node("Sub", [`c${i}`, `m${i}`], [`s${i}`]),
          node("Reshape", [`s${i}`, `shape${i}`], [to]),
        ],
        initializers: [tensor(`shape${i}`, "int64", [2], [-1, 4])],
      })),
    ],
    [
      "in halves, behind Cast",
      twoBlocks((i, from, to) => ({
        nodes: [node("Cast", [`b${i}`], [`bf${i}`], { to: 1 }), node("MatMul", [from, `bf${i}`], [to])],
        initializers: [weight(`b${i}`, [4, 4], i + 5, "float16")],
      })),
    ],
  ])("%s", async (_name, made) => {
    await withModel(folder.write("placed.onnx", made), async (open) => {
      const { scales } = await stableScales(open, context);
      const folding = foldStable(open);
      const [mul, folded] = [
        await writeCopy(folder.place(), open, scales),
        await writeCopy(folder.place(), open, [], folding.edits),
      ];
      const feeds = { x: new Tensor("float32", Float32Array.from({ length: 8 }, Math.cos), [2, 4]) };
      // Halves are rounded once more: 2^-11 of a weight, a few of them summed.
      const allowed = _name.includes("halves") ? 2e-3 : rounding;
      expect(relativeDifference(await runBytes(mul, feeds), await runBytes(folded, feeds))).toBeLessThan(allowed);
      const options = { ...nothing, folded: folding.tensors.map(({ constant }) => constant) };
      expect((await proveStable(open, folded, scales, options, context)).difference).toBeLessThan(allowed);
    });
  });
});

describe("what cannot be folded is refused, naming the branch and the way that stays open", () => {
  test.each<[name: string, last: Parameters<typeof twoBlocks>[0], reason: RegExp]>([
    [
      "tied weights",
      (i, from, to) => ({
        nodes: [node("MatMul", [from, "b"], [to])],
        initializers: i === 0 ? [weight("b", [4, 4], 7)] : [],
      }),
      /"b" is read in more than one place/,
    ],
    [
      "a branch that is read elsewhere",
      (i, from, to) => ({
        nodes: [node("MatMul", [from, `b${i}`], [to]), node("Neg", [to], [`n${i}`])],
        initializers: [weight(`b${i}`, [4, 4], i)],
      }),
      /"f0" is read in more than one place/,
    ],
    [
      "an activation at its end",
      (i, from, to) => ({
        nodes: [node("MatMul", [from, `b${i}`], [`m${i}`]), node("Sigmoid", [`m${i}`], [to])],
        initializers: [weight(`b${i}`, [4, 4], i)],
      }),
      /a factor does not go through node "f0" \(Sigmoid\)/,
    ],
    [
      "quantised weights",
      (i, from, to) => ({
        nodes: [node("DequantizeLinear", [`q${i}`, `s${i}`], [`b${i}`]), node("MatMul", [from, `b${i}`], [to])],
        initializers: [
          tensor(
            `q${i}`,
            "int8",
            [4, 4],
            Array.from({ length: 16 }, (_, k) => k - 8),
          ),
          tensor(`s${i}`, "float", [], [0.1]),
        ],
      }),
      /"b0" of node "f0" is quantised/,
    ],
    [
      "halves as varints",
      (i, from, to) => ({
        nodes: [node("Cast", [`b${i}`], [`bf${i}`], { to: 1 }), node("MatMul", [from, `bf${i}`], [to])],
        initializers: [weight(`b${i}`, [4, 4], i, "float16", "typed")],
      }),
      /the numbers of "b0" do not lie in the file in one piece/,
    ],
  ])("%s", async (_name, last, reason) => {
    await withModel(folder.write("refused.onnx", twoBlocks(last)), async (open) => {
      expect(() => foldStable(open)).toThrow(reason);
      expect(() => foldStable(open)).toThrow(/into 2 of 2 residual branches .*Use --stable-resnet mul/);
      expect((await stableScales(open, context)).scales.length).toBe(2);
    });
  });

  test("two tensors that share their bytes", async () => {
    const made = twoBlocks(plainLast);
    const file = new ExternalFile("shared.bin");
    const shared = weight("b0", [4, 4], 3, "float", { file });
    const main = made.proto.graph!;
    main.initializer = main.initializer.map((one) => (/^b/.test(one.name) ? { ...shared, name: one.name } : one));
    const path = folder.write("shared.onnx", { ...made, external: [file] });
    await withModel(path, (open) => {
      expect(() => foldStable(open)).toThrow(/"b0" shares its numbers with another tensor/);
      return Promise.resolve();
    });
  });
});

test("a model without residual blocks is told so, with what only looks like one", async () => {
  const made = model({
    graph: {
      nodes: [
        node("MatMul", ["x", "a"], ["h"]),
        node("MatMul", ["x", "b"], ["g"]),
        node("Add", ["h", "g"], ["y"], {}, { name: "sum" }),
      ],
      initializers: [weight("a", [4, 4], 1), weight("b", [4, 4], 2)],
      inputs: [value("x", "float", [2, 4])],
      outputs: [value("y", "float", [2, 4])],
    },
  });
  await withModel(folder.write("none.onnx", made), async (open) => {
    await expect(stableScales(open, context)).rejects.toThrow(
      /none \("sum": both sides are branches of the same depth/,
    );
  });
});

test("a proof that cannot be run says why, and a file that is broken fails", async () => {
  const made = twoBlocks(plainLast);
  await withModel(folder.write("two.onnx", made), async (open) => {
    const { scales } = await stableScales(open, context);
    const target = await writeCopy(folder.place(), open, scales);
    const whole = {
      ...open.model,
      graph: { ...open.model.graph, inputs: [{ name: "x", dtype: "string" as const, shape: [2, 4] }] },
    };
    const proof = await proveStable({ ...open, model: whole }, target, scales, nothing, context);
    expect(proof).toEqual({
      difference: null,
      words: expect.stringMatching(/^The stable model could not be run as a proof: /) as string,
    });
    const broken = modelBytes({ ...made, proto: { ...made.proto, opsetImport: [] } });
    writeFileSync(target, broken);
    await expect(proveStable(open, target, scales, nothing, context)).rejects.toThrow(/cannot be run any more/);
  });
});
