/**
 * A saved pattern, counted on the file by a reader of its own: `onnx-buf` decodes the tensors, groups come from each
 * operator's definition. Exactly n of every m stay, the highest scoring, and every other byte is the original's.
 */
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type NodeProto, type TensorProto } from "onnx-buf";
import { afterAll, describe, expect, it } from "vitest";
import { keptCount, type NofM, type Recipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { save } from "../../server/src/analysis/save.js";
import { rankScores } from "../../server/src/analysis/scoring.js";
import { survival } from "../../server/src/analysis/survival.js";
import { groupsOf } from "../support/groups.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import {
  behind,
  convNet,
  float16Value,
  ifBranches,
  model,
  node,
  normals,
  quantised,
  storedWeight,
  tensor,
  type TestModel,
  tiedWeights,
  value,
  weight,
} from "../support/models.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const twoOfFour: NofM = { n: 2, m: 4 };

/** A weight of a file: what its elements stand for, and where they lie. */
interface Held {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

function* tensorsOf(nodes: readonly NodeProto[], initializers: readonly TensorProto[]): Iterable<TensorProto> {
  yield* initializers;
  for (const one of nodes)
    for (const { g } of one.attribute) if (g !== undefined) yield* tensorsOf(g.node, g.initializer);
}

/** Reads weight `name` of a file with nothing of the product's. */
function readWeight(bytes: Uint8Array, name: string): Held {
  const { graph } = fromBinary(ModelProtoSchema, bytes);
  const tensors = new Map([...tensorsOf(graph!.node, graph!.initializer)].map((one) => [one.name, one]));
  const found = tensors.get(name)!;
  const shape = found.dims.map(Number);
  const raw = Uint8Array.from(found.rawData);
  const halves = found.rawData.length > 0 ? new Uint16Array(raw.buffer) : Uint16Array.from(found.int32Data);
  const wide = (bits: number): number => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
  const codes = (signed: boolean): number[] => {
    const zero = Uint8Array.from(tensors.get("zero")?.rawData ?? []);
    const zeros = [...(signed ? new Int8Array(zero.buffer) : zero)];
    // Along axis 1 where there is one for each column.
    const columns = shape[1]!;
    return [...(signed ? new Int8Array(raw.buffer) : raw)].map(
      (code, i) => code - (zeros[zeros.length === 1 ? 0 : i % columns] ?? 0),
    );
  };
  const decoded: Readonly<Record<number, () => number[]>> = {
    1: () => (raw.length > 0 ? [...new Float32Array(raw.buffer)] : found.floatData),
    2: () => codes(false),
    3: () => codes(true),
    10: () => Array.from(halves, float16Value),
    11: () => (raw.length > 0 ? [...new Float64Array(raw.buffer)] : found.doubleData),
    16: () => Array.from(halves, wide),
  };
  return { shape, values: decoded[found.dataType]!() };
}

/** What both files say of a weight, after a save of `recipe`. */
async function saved(
  made: TestModel,
  name: string,
  recipe: Partial<Recipe>,
): Promise<{ before: Held; after: Held; same: boolean }> {
  const path = folder.write("model.onnx", made);
  const target = folder.file("out.onnx");
  await save(saveParams(path, { target, recipe: { sparsity: 0, pattern: twoOfFour, ...recipe } }), quietContext());
  const [original, pruned] = [readFileSync(path), readFileSync(target)].map((bytes) => new Uint8Array(bytes));
  const masked = pruned!.slice(0, original!.length);
  // Bytes that raw weights may change, put back from the original; numbers in other fields are compared as numbers.
  const { graph } = fromBinary(ModelProtoSchema, original!);
  for (const { rawData, dataType, name: own } of tensorsOf(graph!.node, graph!.initializer)) {
    if (own !== name || dataType === 7 || rawData.length === 0) continue;
    const at = Buffer.from(original!).indexOf(rawData);
    masked.set(rawData, at);
  }
  const typed = readWeight(original!, name).values.length > 0 && Buffer.compare(masked, original!) !== 0;
  return { before: readWeight(original!, name), after: readWeight(pruned!, name), same: !typed };
}

/** n of every m stay, the highest, with their values; the others are 0. Equal ones may stand for each other. */
function expectPattern(
  { before, after }: { before: Held; after: Held },
  axis: number,
  { n, m }: NofM = twoOfFour,
): void {
  let wrong = 0;
  for (const group of groupsOf(before.shape, axis, m)) {
    const was = group.map((i) => before.values[i]!);
    const is = group.map((i) => after.values[i]!);
    const kept = is.filter((one) => one !== 0);
    const highest = was
      .map(Math.abs)
      .sort((a, b) => b - a)
      .slice(0, n)
      .filter((one) => one !== 0);
    const unchanged = is.every((one, j) => one === 0 || Object.is(one, was[j]));
    const right = JSON.stringify(kept.map(Math.abs).sort((a, b) => b - a)) === JSON.stringify(highest);
    if (!unchanged || !right) wrong++;
  }
  expect(wrong).toBe(0);
}

interface Placed {
  readonly name: string;
  readonly make: () => TestModel;
  readonly weight?: string;
  /** Reduction axis of the stored tensor. */
  readonly axis: number;
}

/** One operator with weight `w` as one of its inputs, x as another. */
function operator(
  op: string,
  shape: readonly number[],
  inputs: readonly string[],
  attributes: Parameters<typeof node>[3] = {},
): () => TestModel {
  return () =>
    model({
      graph: {
        nodes: [node(op, inputs, ["y"], attributes)],
        inputs: [value("x", "float", null)],
        outputs: [value("y", "float", null)],
        initializers: [weight("w", shape, 3), weight("r", [1, 32, 8], 4)],
      },
    });
}

const operators: readonly Placed[] = [
  { name: "Conv", make: operator("Conv", [6, 8, 3, 3], ["x", "w"]), axis: 1 },
  { name: "Conv in groups", make: operator("Conv", [6, 8, 3, 5], ["x", "w"], { group: 2 }), axis: 1 },
  { name: "Conv of one dimension", make: operator("Conv", [5, 12, 7], ["x", "w"]), axis: 1 },
  { name: "ConvTranspose", make: operator("ConvTranspose", [8, 5, 3, 3], ["x", "w"]), axis: 0 },
  {
    name: "ConvTranspose in groups",
    make: operator("ConvTranspose", [16, 3, 2, 2], ["x", "w"], { group: 2 }),
    axis: 0,
  },
  { name: "Gemm right", make: operator("Gemm", [12, 7], ["x", "w"]), axis: 0 },
  { name: "Gemm right, transposed", make: operator("Gemm", [7, 12], ["x", "w"], { transB: 1 }), axis: 1 },
  { name: "Gemm left", make: operator("Gemm", [7, 12], ["w", "x"]), axis: 1 },
  { name: "Gemm left, transposed", make: operator("Gemm", [12, 7], ["w", "x"], { transA: 1 }), axis: 0 },
  { name: "MatMul right", make: operator("MatMul", [16, 9], ["x", "w"]), axis: 0 },
  { name: "MatMul left", make: operator("MatMul", [9, 16], ["w", "x"]), axis: 1 },
  { name: "MatMul right, batched", make: operator("MatMul", [3, 8, 5], ["x", "w"]), axis: 1 },
  { name: "MatMul left, batched", make: operator("MatMul", [3, 5, 8], ["w", "x"]), axis: 2 },
  { name: "LSTM, input", make: operator("LSTM", [1, 32, 12], ["x", "w", "r"], { hidden_size: 8 }), axis: 2 },
  {
    name: "LSTM, state",
    make: operator("LSTM", [1, 32, 12], ["x", "w", "r"], { hidden_size: 8 }),
    weight: "r",
    axis: 2,
  },
  {
    name: "MatMul behind Transpose",
    make: () =>
      model({
        graph: {
          nodes: [node("Transpose", ["w"], ["t"], { perm: [1, 0] }), node("MatMul", ["x", "t"], ["y"])],
          inputs: [value("x", "float", [2, 12])],
          outputs: [value("y", "float", [2, 6])],
          initializers: [weight("w", [6, 12], 1)],
        },
      }),
    axis: 1,
  },
];

const types: readonly Placed[] = [
  ...(["float", "double", "float16", "bfloat16"] as const).flatMap((dtype) =>
    (["raw", "typed"] as const).map((storage) => ({
      name: `${dtype} ${storage}`,
      make: () => storedWeight({ dtype, storage }),
      axis: 0,
    })),
  ),
  ...(["int8", "uint8"] as const).flatMap((dtype) =>
    [null, 1].map((axis) => ({
      name: `${dtype} behind DequantizeLinear, ${axis === null ? "one zero point" : "one a channel"}`,
      make: () => quantised({ dtype, axis, shape: [64, 48] }),
      axis: 0,
    })),
  ),
];

describe.each([...operators, ...types])("$name", ({ make, weight: name = "w", axis }) => {
  it("holds 2:4 in every group, the strongest, and nothing else has changed", async () => {
    const found = await saved(make(), name, {});
    expectPattern(found, axis);
    expect(found.before.values.length).toBe(found.after.values.length);
  });
});

it("leaves every byte outside the raw weights at its place", async () => {
  for (const { make } of [operators[0]!, operators[5]!]) expect((await saved(make(), "w", {})).same).toBe(true);
});

it.each([
  [1, 4],
  [4, 8],
  [1, 2],
  [3, 7],
])("holds %d:%d, in slabs larger than a block too", async (n, m) => {
  const pattern = { n, m };
  expectPattern(await saved(operator("MatMul", [56, 30], ["x", "w"])(), "w", { pattern }), 0, pattern);
  const wide = operator("MatMul", [m, 40_000], ["x", "w"])();
  expectPattern(await saved(wide, "w", { pattern }), 0, pattern);
});

it("holds 2:4 across blocks that cut slabs", async () => {
  expectPattern(await saved(operator("Conv", [260, 36, 3, 3], ["x", "w"])(), "w", {}), 1);
});

it("holds it in the branches of an If", async () => {
  const path = folder.write("if.onnx", ifBranches());
  const recipe = { sparsity: 0, pattern: { n: 1, m: 2 } };
  const { layers } = await save(saveParams(path, { recipe }), quietContext());
  const holding = layers.filter(({ pattern, id }) => pattern!.use !== "none" && id.includes("/"));
  expect(holding.length).toBeGreaterThan(1);
  for (const { pattern, parameters, kept } of holding) {
    expect(pattern).toMatchObject({ groups: parameters / 2, held: parameters / 2 });
    expect(kept).toBe(parameters / 2);
  }
});

it("decides equal weights by the seed, not by their order in the file", async () => {
  const made = (): TestModel => {
    const one = operator("MatMul", [8, 400], ["x", "w"])();
    one.proto.graph!.initializer[0] = tensor("w", "float", [8, 400], new Array<number>(3200).fill(-0.25));
    return one;
  };
  const kept = async (seed: number): Promise<boolean[]> => {
    const found = await saved(made(), "w", { seed });
    expectPattern(found, 0);
    return found.after.values.map((one) => one !== 0);
  };
  const [first, again, other] = [await kept(1), await kept(1), await kept(2)];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  // Each of the four places of a group is kept in half of the 800 groups, within five standard deviations of 14.1.
  for (let place = 0; place < 4; place++) {
    const count = first.filter((is, i) => is && Math.floor(i / 400) % 4 === place).length;
    expect(Math.abs(count - 400)).toBeLessThan(71);
  }
});

it("leaves dense, with the reason, what cannot hold it, is excluded, or has a higher floor", async () => {
  const path = folder.write("net.onnx", convNet({ channels: 8 }));
  const recipe = { sparsity: 0, pattern: twoOfFour, exclude: ["fc.weight"], floors: { "conv2.weight": 0.6 } };
  const { layers } = await save(saveParams(path, { recipe }), quietContext());
  expect(layers.map(({ pattern, kept, parameters }) => [pattern!.use, pattern!.reason, kept === parameters])).toEqual([
    ["none", "its reduction axis has 3 elements, which 4 does not divide", true],
    ["none", "its floor is above 2/4", true],
    ["none", "it is excluded", true],
  ]);
  const tied = folder.write("tied.onnx", tiedWeights());
  const report = (
    await analyze({ uri: tied, path: tied, recipe: { ...saveParams(tied).recipe, pattern: twoOfFour } }, quietContext())
  ).report;
  expect(report.layers.every(({ pattern }) => pattern!.reason.length > 0)).toBe(true);
});

describe("with a criterion and with further sparsity", () => {
  const path = folder.write("both.onnx", convNet({ channels: 16 }));
  const context = quietContext();

  it("keeps the highest SNIP scores of every group", async () => {
    const recipe: Recipe = { ...saveParams(path).recipe, sparsity: 0, criterion: "snip", pattern: twoOfFour };
    const report = await save(saveParams(path, { target: folder.file("snip.onnx"), recipe }), context);
    const [before, after] = [path, folder.file("snip.onnx")].map((file) => new Uint8Array(readFileSync(file)));
    await withModel(path, async (open) => {
      const { plain } = await rankScores(open, recipe, context);
      for (const [name, axis] of [
        ["conv2.weight", 1],
        ["fc.weight", 1],
      ] as const) {
        const l = plain.scores.layers.findIndex(({ id }) => id === name);
        const { shape, values } = readWeight(before!, name);
        const now = readWeight(after!, name).values;
        const scores = new Float32Array(values.length);
        plain.scores.layers[l]!.field!.read(0, scores.length, scores);
        let [all, kept] = [0, 0];
        for (const group of groupsOf(shape, axis, 4)) {
          const order = [...group].sort((a, b) => scores[b]! - scores[a]!);
          order.forEach((i, rank) => {
            expect(now[i]).toBe(rank < 2 ? values[i] : 0);
            all += scores[i]!;
            if (rank < 2) kept += scores[i]!;
          });
        }
        // Float64 sums of a few thousand float32 in another order.
        expect(report.layers[l]!.pattern!.retained).toBeCloseTo(kept / all, 9);
      }
    });
  });

  it.each([0.2, 0.6, 0.9])(
    "keeps k in all, or what the pattern leaves, the pattern in every group (s = %d)",
    async (sparsity) => {
      const recipe: Recipe = { ...saveParams(path).recipe, sparsity, pattern: twoOfFour };
      const report = await save(saveParams(path, { target: folder.file("all.onnx"), recipe }), context);
      const left = report.layers.reduce(
        (sum, { pattern, parameters }) => sum + (pattern!.use === "none" ? parameters : parameters / 2),
        0,
      );
      expect(report.kept).toBe(Math.min(keptCount(report.prunable, sparsity), left));
      expect(report.layers.every(({ pattern }) => pattern!.held === pattern!.groups)).toBe(true);
      expect(report.layers.reduce((sum, { parameters, zeros }) => sum + parameters - zeros, 0)).toBe(report.kept);
      const { report: analysed } = await analyze({ uri: path, path, recipe }, context);
      expect(analysed.layers.map(({ kept }) => kept)).toEqual(report.layers.map(({ kept }) => kept));
      expect(analysed.pattern).toEqual(twoOfFour);
      const exact = await survival({ uri: path, path, recipe }, context);
      expect(exact.kept).toEqual(analysed.layers.map(({ kept }) => kept));
      if (sparsity === 0.2) expect(exact.threshold).toBeNull();
    },
  );

  it("is the same mask with and without a survey of the whole model", async () => {
    const recipe: Recipe = { ...saveParams(path).recipe, sparsity: 0, pattern: twoOfFour };
    const report = await save(saveParams(path, { target: folder.file("alone.onnx"), recipe }), context);
    const { report: analysed } = await analyze({ uri: path, path, recipe }, context);
    expect(report.layers.map(({ kept }) => kept)).toEqual(analysed.layers.map(({ kept }) => kept));
    report.layers.forEach(({ pattern }, l) => {
      const { use, reason, retained } = analysed.layers[l]!.pattern!;
      expect(pattern).toMatchObject({ use, reason });
      if (retained === null) expect(pattern!.retained).toBeNull();
      else expect(pattern!.retained).toBeCloseTo(retained, 9);
    });
    // Scores and their statistics are the plain ones.
    const plain = (await analyze({ uri: path, path, recipe: saveParams(path).recipe }, context)).report;
    expect(analysed.layers.map(({ score }) => score)).toEqual(plain.layers.map(({ score }) => score));
  });
});

it("refuses NaN in a group and names the layer; analysed, it is shown and no mask is made", async () => {
  const made = operator("MatMul", [8, 10], ["x", "w"])();
  const values = normals(1, 80);
  values[33] = NaN;
  made.proto.graph!.initializer[0] = tensor("w", "float", [8, 10], values);
  const path = folder.write("nan.onnx", made);
  const params = saveParams(path, { recipe: { sparsity: 0, pattern: twoOfFour } });
  await expect(save(params, quietContext())).rejects.toMatchObject({ code: "non-finite", about: { value: "w" } });
  const { report } = await analyze({ uri: path, path, recipe: params.recipe }, quietContext());
  expect(report.layers[0]).toMatchObject({ kept: 80, pattern: { retained: null } });
});

it("holds it behind operators that move elements, by the axis of the stored tensor", async () => {
  const path = folder.write("behind.onnx", behind("identity"));
  const { layers } = await save(saveParams(path, { recipe: { sparsity: 0, pattern: { n: 1, m: 2 } } }), quietContext());
  expect(layers[0]!.pattern).toMatchObject({ groups: 24, held: 24 });
});
