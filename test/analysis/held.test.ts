/** Job `held`: zeros, patterns, empty channels and sharing of files that are sparse before anything is pruned. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HeldLayer, HeldReport } from "../../server/protocol/sparsity.js";
import { held } from "../../server/src/analysis/held.js";
import { patternedLayers, patternedModel } from "../cases/patterned-layers.js";
import { holed, withPattern } from "../support/groups.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { normals } from "../support/model-elements.js";
import {
  convNet,
  groupedConvolutions,
  model,
  node,
  recurrent,
  sparseWeight,
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

function heldBy(made: TestModel): Promise<HeldReport> {
  const path = folder.write("model.onnx", made);
  return held({ uri: path, path }, quietContext());
}

/** Overwrites elements of a float initializer with 0. */
function zeroed(made: TestModel, name: string, isZero: (index: number) => boolean): TestModel {
  const { rawData } = made.proto.graph!.initializer.find((one) => one.name === name)!;
  for (let i = 0; i < rawData.length / 4; i++) if (isZero(i)) rawData.fill(0, 4 * i, 4 * i + 4);
  return made;
}

const layer = async (made: TestModel, id: string): Promise<HeldLayer> =>
  (await heldBy(made)).layers.find((one) => one.id === id)!;

describe("zeros", () => {
  it("of prunable weights alone are counted: no biases, norms and tables", async () => {
    const dense = await heldBy(convNet());
    expect(dense).toMatchObject({ prunable: 8 * 27 + 8 * 72 + 80, zeros: 0, sparsity: 0 });
    const sparse = await heldBy(zeroed(convNet(), "conv2.weight", (i) => i % 3 === 0));
    expect(sparse).toMatchObject({ zeros: 192, sparsity: 192 / 872 });
    expect(sparse.layers.map(({ zeros }) => zeros)).toEqual([0, 192, 0]);
  });

  it("of a sparse tensor are those that it does not store", async () => {
    expect((await heldBy(sparseWeight())).layers).toMatchObject([
      { parameters: 48, zeros: 32, sparsity: 2 / 3, storedSparsely: true, emptyOutputs: { count: 0, of: 8 } },
    ]);
  });
});

describe.each(patternedLayers)("$name", (one) => {
  const { shape, axis } = one;
  const size = shape.reduce((product, length) => product * length, 1);

  it("names the pattern that it was given, and none when it is dense", async () => {
    for (const [n, m] of [
      [1, 2],
      [2, 4],
      [1, 4],
      [2, 8],
    ] as const) {
      const values = withPattern(holed(m, size, 0), shape, axis, { n, m });
      const { patterns } = await layer(patternedModel(one, values), "w");
      // All are equal, so that the first n stay: a group of 8 with two neighbours holds no 1:2.
      expect(patterns[0]).toEqual({ n, m });
    }
    expect((await layer(patternedModel(one, normals(1, size)), "w")).patterns).toEqual([]);
  });
});

describe("channels", () => {
  it("without a weight are counted on both sides", async () => {
    // [8, 8, 3, 3]: outputs 2 and 5, input 7.
    const made = zeroed(convNet(), "conv2.weight", (i) => {
      const [out, into] = [Math.floor(i / 72), Math.floor(i / 9) % 8];
      return out === 2 || out === 5 || into === 7;
    });
    expect(await layer(made, "conv2.weight")).toMatchObject({
      emptyOutputs: { count: 2, of: 8 },
      emptyInputs: { count: 1, of: 8 },
    });
  });

  it("of groups are all that the network has", async () => {
    const made = groupedConvolutions();
    // [6, 2, 3, 3] in two groups: the second group's first input is the network's third. [6, 4, 3, 3] transposed.
    zeroed(made, "grouped", (i) => Math.floor(i / 54) === 1 && Math.floor(i / 9) % 2 === 0);
    zeroed(made, "transposed", (i) => Math.floor(i / 108) === 0 && Math.floor(i / 9) % 4 === 3);
    zeroed(made, "depthwise", (i) => Math.floor(i / 9) === 4);
    expect((await heldBy(made)).layers.map(({ emptyOutputs, emptyInputs }) => [emptyOutputs, emptyInputs])).toEqual([
      [
        { count: 0, of: 6 },
        { count: 1, of: 4 },
      ],
      [
        { count: 1, of: 6 },
        { count: 1, of: 6 },
      ],
      [
        { count: 1, of: 8 },
        { count: 0, of: 6 },
      ],
    ]);
  });

  it("of both directions of a recurrent layer are counted apart", async () => {
    // [2, 32, 6]: the third input of the second direction.
    const made = zeroed(recurrent("LSTM", { directions: 2 }), "W", (i) => i >= 192 && i % 6 === 2);
    expect(await layer(made, "W")).toMatchObject({
      emptyOutputs: { count: 0, of: 64 },
      emptyInputs: { count: 1, of: 12 },
    });
  });
});

describe("sharing", () => {
  it("names all nodes that use a weight, and none where it is one", async () => {
    expect((await heldBy(tiedWeights())).layers[0]!.sharedBy).toEqual(["h", "y"]);
    expect((await heldBy(convNet())).layers.map(({ sharedBy }) => sharedBy)).toEqual([[], [], []]);
  });

  it("sees the table that is a classifier too, and does not count it twice", async () => {
    const report = await heldBy(
      model({
        graph: {
          nodes: [
            node("Gather", ["table", "ids"], ["e"], {}, { name: "lookup" }),
            node("Transpose", ["table"], ["t"], { perm: [1, 0] }),
            node("MatMul", ["e", "t"], ["y"], {}, { name: "head" }),
          ],
          inputs: [value("ids", "int64", [4])],
          outputs: [value("y", "float", [4, 20])],
          initializers: [weight("table", [20, 6], 1)],
        },
      }),
    );
    expect(report.prunable).toBe(120);
    expect(report.layers).toMatchObject([{ id: "table", sharedBy: ["lookup", "head"] }]);
  });
});
