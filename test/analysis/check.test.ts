/** Job `check`: counted on files of every layout and storage, by a slow count by definition beside it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckReport, LayerCheck } from "../../server/protocol/sparsity.js";
import type { NofM } from "../../server/protocol/recipe.js";
import { check } from "../../server/src/analysis/check.js";
import { patternedLayers, patternedModel } from "../cases/patterned-layers.js";
import { groupsOf, holed, withPattern } from "../support/groups.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { normals, roundedTo } from "../support/model-elements.js";
import {
  model,
  node,
  quantised,
  sparseTensor,
  sparseWeight,
  storedWeight,
  tensor,
  type TestModel,
  tiedWeights,
  value,
  weight,
} from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const twoOfFour: NofM = { n: 2, m: 4 };

function checked(made: TestModel, pattern = twoOfFour, exclude: readonly string[] = []): Promise<CheckReport> {
  const path = folder.write("model.onnx", made);
  return check({ uri: path, path, pattern, exclude }, quietContext());
}

async function layerOf(made: TestModel, pattern = twoOfFour, id = "w"): Promise<LayerCheck> {
  return (await checked(made, pattern)).layers.find((layer) => layer.id === id)!;
}

describe.each(patternedLayers)("$name", (layer) => {
  const { shape, axis } = layer;
  const size = shape.reduce((product, length) => product * length, 1);

  it.each([
    [1, 2],
    [2, 4],
    [3, 8],
  ])("counts %i:%i as it is defined", async (n, m) => {
    const values = holed(n * size, size, 0.5);
    const groups = groupsOf(shape, axis, m);
    const failed = groups.filter((group) => group.filter((index) => values[index] !== 0).length > n);
    expect(await layerOf(patternedModel(layer, values), { n, m })).toMatchObject({
      groups: groups.length,
      violations: failed.length,
      firstViolation: failed[0]?.[0] ?? null,
      sparsity: values.filter((one) => one === 0).length / size,
    });
  });

  it("finds the one element too many", async () => {
    const values = withPattern(normals(size, size), shape, axis, twoOfFour);
    expect(await layerOf(patternedModel(layer, values))).toMatchObject({ violations: 0, firstViolation: null });
    const group = groupsOf(shape, axis, 4)[(5 * size) % 4]!;
    values[group.find((index) => values[index] === 0)!] = 1e-30;
    expect(await layerOf(patternedModel(layer, values))).toMatchObject({ violations: 1, firstViolation: group[0] });
  });
});

describe("what is 0", () => {
  const shape = [64, 48] as const;
  const pruned = withPattern(normals(1, 64 * 48), shape, 0, twoOfFour);

  it.each([
    ["float16", "raw"],
    ["float16", "typed"],
    ["bfloat16", "raw"],
    ["bfloat16", "typed"],
    ["double", "raw"],
    ["double", "external"],
    ["float", "external"],
  ] as const)("in %s stored %s", async (dtype, storage) => {
    // Too small for float16, and for float32 too: what is left of it decides.
    const values = pruned.map((one, i) => (i === 0 ? 1e-60 : one));
    const stored = roundedTo(dtype, values);
    const failed = groupsOf(shape, 0, 4).filter((group) => group.filter((i) => stored[i] !== 0).length > 2);
    const found = await layerOf(storedWeight({ dtype, storage, shape, values }));
    expect(found).toMatchObject({ groups: 16 * 48, violations: failed.length });
    expect(found.sparsity).toBe(stored.filter((one) => one === 0).length / stored.length);
  });

  it("−0 is, NaN and numbers below the normal ones are not", async () => {
    const values = [-0, -0, 1, 2, NaN, 0, NaN, 1e-45, 0, 0, 0, 0];
    const layer = patternedLayers.find(({ name }) => name === "Gemm with transB")!;
    const found = await layerOf(patternedModel({ ...layer, shape: [3, 4], input: [2, 4] }, values));
    expect(found).toMatchObject({ groups: 3, violations: 1, firstViolation: 4, sparsity: 7 / 12 });
  });

  it.each(["int8", "uint8"] as const)("of %s it is the zero point, of each channel its own", async (dtype) => {
    const made = quantised({ dtype, axis: 1, shape: [16, 6] });
    const [codes, , points] = made.proto.graph!.initializer;
    const bytes = codes!.rawData;
    // Rows 0 and 1 of every four are pruned, and no other element is 0.
    for (let i = 0; i < bytes.length; i++) {
      const zero = points!.rawData[i % 6]!;
      bytes[i] = Math.floor(i / 6) % 4 < 2 ? zero : (zero + 1 + (i % 3)) & 0xff;
    }
    expect(await layerOf(made)).toMatchObject({ groups: 24, violations: 0, sparsity: 0.5, use: "pattern-only" });
    bytes[7] = 0;
    expect(points!.rawData[1]).not.toBe(0);
    expect(await layerOf(made)).toMatchObject({ violations: 1, firstViolation: 1 });
  });
});

describe("sparse initializers", () => {
  it.each([{}, { coordinates: true }, { inNode: true }])("are counted by their indices: %o", async (options) => {
    // [6, 8], every third element stored, groups of 2 along axis 0: 8 apart, of which no two are stored.
    const report = await checked(sparseWeight(options), { n: 1, m: 2 });
    expect(report.holds).toBe(true);
    expect(report.layers).toMatchObject([{ use: "pattern-only", groups: 24, violations: 0, sparsity: 2 / 3 }]);
    expect(await layerOf(sparseWeight(options), { n: 1, m: 3 })).toMatchObject({ groups: 16, violations: 0 });
  });

  const sparse = (indices: readonly number[], values: readonly number[] = indices.map(() => 1)): TestModel =>
    model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["y"])],
        inputs: [value("x", "float", [2, 4])],
        outputs: [value("y", "float", [2, 2])],
        sparse: [sparseTensor([4, 2], tensor("w", "float", [values.length], values), indices)],
      },
    });

  it("in any order, and stored zeros are zeros", async () => {
    expect(await layerOf(sparse([6, 0, 2, 1]))).toMatchObject({ groups: 2, violations: 1, firstViolation: 0 });
    expect(await layerOf(sparse([6, 0, 2, 1], [1, 1, 0, 1]))).toMatchObject({ violations: 0, sparsity: 5 / 8 });
  });

  it.each([
    ["reach outside", [0, 8]],
    ["reach outside", [-1, 2]],
    ["name an element twice", [3, 3]],
  ])("whose indices %s are not checked, and hold nothing", async (words, indices) => {
    const report = await checked(sparse(indices));
    expect(report.holds).toBe(false);
    expect(report.layers[0]!.unchecked).toContain(words);
  });
});

describe("the whole model", () => {
  const rows = withPattern(normals(2, 8 * 16), [8, 16], 1, twoOfFour);
  const two = (second: readonly number[]): TestModel =>
    model({
      graph: {
        nodes: [
          node("Gemm", ["x", "a"], ["h"], { transB: 1 }),
          node("Gemm", ["h", "b"], ["g"], { transB: 1 }),
          node("Gemm", ["g", "odd"], ["y"]),
        ],
        inputs: [value("x", "float", [1, 16])],
        outputs: [value("y", "float", [1, 2])],
        initializers: [
          tensor("a", "float", [8, 16], rows),
          tensor("b", "float", [3, 8], second),
          weight("odd", [3, 2], 4),
        ],
      },
    });
  const held = withPattern(normals(3, 24), [3, 8], 1, twoOfFour);

  it("holds where every layer that can does, and one that cannot does not count", async () => {
    const report = await checked(two(held));
    expect(report.holds).toBe(true);
    expect(report.layers.map(({ use }) => use)).toEqual(["pattern-only", "pattern-only", "none"]);
    expect(report.layers[2]).toMatchObject({ groups: 0, violations: 0, firstViolation: null, sparsity: 0 });
    expect(report.layers[2]!.reason).toContain("3 elements, which 4 does not divide");
  });

  it("does not where one fails, unless that is left out", async () => {
    const dense = two(normals(3, 24));
    expect((await checked(dense)).holds).toBe(false);
    const report = await checked(dense, twoOfFour, ["b"]);
    expect(report.holds).toBe(true);
    expect(report.layers[1]).toMatchObject({ excluded: true, violations: 6 });
    expect((await checked(dense, twoOfFour, ["a", "b"])).holds).toBe(false);
  });

  it("does not where no layer can", async () => {
    expect((await checked(tiedWeights())).holds).toBe(false);
  });

  it("knows no layer that the model does not have", async () => {
    await expect(checked(two(held), twoOfFour, ["nobody"])).rejects.toMatchObject({ code: "bad-request" });
  });
});
