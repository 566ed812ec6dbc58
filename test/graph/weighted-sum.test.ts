/** Where a weighted layer's sum begins and ends, on models as they are read and on flat graphs whose weights are inputs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linksOf } from "../../server/src/graph/links.js";
import { type WeightedSum, weightedSum, weightUses } from "../../server/src/graph/weighted-sum.js";
import { floats } from "../support/layer-sites.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { model, node, type TestModel, tensor, value, weight } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

/** The sum of the layer whose weight is "w". */
function sumOf(made: TestModel): Omit<WeightedSum, "node"> | null {
  return reading(folder.write("model.onnx", made), ({ model: read, search }) => {
    const { node: user, index } = search.weights.find(({ name }) => name === "w")!.uses[0]!;
    const found = weightedSum(linksOf(read.graph), user, index);
    if (found === null) return null;
    const { node: ofSum, ...rest } = found;
    expect(ofSum).toBe(user);
    return rest;
  });
}

type Nodes = Parameters<typeof model>[0]["graph"]["nodes"];

const network = (nodes: Nodes, { x = [2, 6], w = [6, 6] } = {}): TestModel =>
  model({
    domains: { "com.microsoft": 1 },
    graph: {
      nodes,
      inputs: [value("x", "float", x), value("given", "float", [6])],
      outputs: [value("y", "float", null)],
      initializers: [
        weight("w", w, 1),
        ...floats({ bias: [1, 2, 3, 4, 5, 6], scalar: 2 }),
        tensor("table", "float", [2, 6], Array<number>(12).fill(1)),
        tensor("shape", "int64", [2], [1, 6]),
      ],
    },
  });

const own = { index: 1, input: "x" };
const without = { sum: "s", preActivation: "s", bias: null, biasInNode: false };
const behind = { sum: "s", preActivation: "p", biasInNode: false };
const image = { x: [1, 6, 5, 5], w: [6, 6, 3, 3] };
const tail = node("Relu", ["s"], ["y"]);

const cases: readonly (readonly [string, TestModel, object | null])[] = [
  ["MatMul", network([node("MatMul", ["x", "w"], ["s"]), tail]), { ...own, ...without }],
  [
    "MatMul with the constant on the left",
    network([node("MatMul", ["w", "x"], ["s"]), tail], { x: [6, 2] }),
    { index: 0, input: "x", ...without },
  ],
  [
    "MatMul and Add",
    network([node("MatMul", ["x", "w"], ["s"]), node("Add", ["s", "bias"], ["p"]), node("Relu", ["p"], ["y"])]),
    { ...own, ...behind, bias: "bias" },
  ],
  [
    "Add and MatMul the other way round, the bias reshaped",
    network([
      node("Reshape", ["bias", "shape"], ["b"]),
      node("MatMul", ["x", "w"], ["s"]),
      node("Add", ["b", "s"], ["p"]),
      node("Relu", ["p"], ["y"]),
    ]),
    { ...own, ...behind, bias: "b" },
  ],
  [
    "an Add of a table, which is no bias",
    network([node("MatMul", ["x", "w"], ["s"]), node("Add", ["s", "table"], ["p"]), node("Relu", ["p"], ["y"])]),
    { ...own, ...without },
  ],
  [
    "an Add of an input, which is no bias",
    network([node("MatMul", ["x", "w"], ["s"]), node("Add", ["s", "given"], ["p"]), node("Relu", ["p"], ["y"])]),
    { ...own, ...without },
  ],
  [
    "an Add beside another reader",
    network([node("MatMul", ["x", "w"], ["s"]), node("Add", ["s", "bias"], ["p"]), node("Add", ["p", "s"], ["y"])]),
    { ...own, ...without },
  ],
  [
    "an Add to itself",
    network([node("MatMul", ["x", "w"], ["s"]), node("Add", ["s", "s"], ["y"])]),
    { ...own, ...without },
  ],
  [
    "Gemm with C",
    network([node("Gemm", ["x", "w", "bias"], ["s"]), tail]),
    { ...own, sum: "s", preActivation: "s", bias: "bias", biasInNode: true },
  ],
  [
    "Gemm without C and an Add",
    network([node("Gemm", ["x", "w"], ["s"]), node("Add", ["s", "bias"], ["p"]), node("Relu", ["p"], ["y"])]),
    { ...own, ...behind, bias: "bias" },
  ],
  [
    "Conv with a bias",
    network([node("Conv", ["x", "w", "bias"], ["s"]), tail], image),
    { ...own, sum: "s", preActivation: "s", bias: "bias", biasInNode: true },
  ],
  ["Conv without", network([node("Conv", ["x", "w"], ["s"]), tail], image), { ...own, ...without }],
  ["ConvTranspose", network([node("ConvTranspose", ["x", "w"], ["s"]), tail], image), { ...own, ...without }],
  [
    "FusedConv",
    network(
      [node("FusedConv", ["x", "w", "bias"], ["s"], { activation: "Relu" }, { domain: "com.microsoft" }), tail],
      image,
    ),
    { ...own, sum: "s", preActivation: "s", bias: "bias", biasInNode: true },
  ],
  [
    "FusedMatMul",
    network([node("FusedMatMul", ["x", "w"], ["s"], {}, { domain: "com.microsoft" }), tail]),
    { ...own, ...without },
  ],
  [
    "a recurrent layer, which is no one sum",
    network([node("RNN", ["x", "w", "w"], ["s"], { hidden_size: 6 }), tail], { x: [2, 1, 6], w: [1, 6, 6] }),
    null,
  ],
];

describe("the sum of", () => {
  it.each(cases)("%s", (_, made, expected) => {
    expect(sumOf(made)).toEqual(expected);
  });

  it("a layer whose weight is an input, behind Transpose and Identity", () => {
    const made = model({
      graph: {
        nodes: [
          node("Transpose", ["given"], ["t"]),
          node("Identity", ["t"], ["w"]),
          node("MatMul", ["x", "w"], ["s"]),
          node("Relu", ["s"], ["y"]),
        ],
        inputs: [value("x", "float", [2, 6]), value("given", "float", [5, 6])],
        outputs: [value("y", "float", null)],
      },
    });
    reading(folder.write("flat.onnx", made), ({ model: read }) => {
      const links = linksOf(read.graph);
      const uses = weightUses(links, "given");
      expect(uses.map(({ node: user, index }) => [user.op, index])).toEqual([["MatMul", 1]]);
      expect(weightedSum(links, uses[0]!.node, 1)).toMatchObject({ input: "x", sum: "s", bias: null });
    });
  });
});
