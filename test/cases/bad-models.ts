/** Files that are well-formed protobufs and no sound models: what is wrong with them, and the words that people must read. */
import type { GraphProto, TensorProto } from "onnx-buf";
import * as models from "../support/models.js";
import { badFunctions } from "./bad-functions.js";
import { type BadModel, broken, x } from "./bad-model.js";

const { graph, node, tensor, value, weight } = models;

/** x times w, with w changed. */
function brokenWeight(change: (w: TensorProto) => void, storage: "raw" | "typed" = "raw"): models.TestModel {
  const w = weight("w", [6, 6], 1, "float", storage);
  change(w);
  return broken({ initializers: [w] });
}

const dims = (...list: readonly bigint[]): models.TestModel => brokenWeight((w) => (w.dims = [...list]));

const shapes: readonly BadModel[] = [
  { name: "a negative dimension", make: () => dims(-6n, 6n), words: /"w" has the shape \[-6, 6\], which cannot be/ },
  { name: "two negative dimensions", make: () => dims(-6n, -6n), words: /"w" has the shape \[-6, -6\]/ },
  { name: "a dimension beyond what is exact", make: () => dims(2n ** 60n), words: /"w" has the shape/ },
  {
    name: "dimensions whose product is beyond",
    make: () => dims(2n ** 31n, 2n ** 31n, 2n ** 31n),
    words: /"w" has the shape/,
  },
  { name: "dimensions whose product is 2^64", make: () => dims(2n ** 32n, 2n ** 32n), words: /"w" has the shape/ },
  {
    name: "ten thousand dimensions",
    make: () => dims(...Array<bigint>(10_000).fill(2n)),
    words: /"w" has 10000 axes, which cannot be/,
  },
  {
    name: "more elements than bytes",
    make: () => dims(6n, 7n),
    words: /"w" of 42 float elements needs 168 bytes of raw data and has 144/,
  },
  {
    name: "fewer elements than bytes",
    make: () => dims(6n, 5n),
    words: /"w" of 30 float elements needs 120 bytes of raw data and has 144/,
  },
  {
    name: "one dimension of four billion",
    make: () => dims(4_294_967_296n),
    words: /needs 17179869184 bytes of raw data and has 144/,
  },
  {
    name: "no data at all",
    make: () => brokenWeight((w) => (w.floatData = []), "typed"),
    words: /"w" has 36 float elements by its shape, but 0 are stored/,
  },
  {
    name: "a typed element too few",
    make: () => brokenWeight((w) => w.floatData.pop(), "typed"),
    words: /"w" of 36 float elements needs 144 bytes and has 140/,
  },
  {
    name: "typed elements of another type",
    make: () => brokenWeight((w) => (w.dataType = 11), "typed"),
    words: /"w" has 36 double elements by its shape, but 0 are stored/,
  },
  {
    name: "element type 99",
    make: () => brokenWeight((w) => (w.dataType = 99)),
    words: /"w" has the unknown element type 99/,
  },
  {
    name: "element type −1",
    make: () => brokenWeight((w) => (w.dataType = -1)),
    words: /"w" has the unknown element type -1/,
  },
  {
    name: "no element type",
    make: () => brokenWeight((w) => (w.dataType = 0)),
    words: /"w" has the unknown element type 0/,
  },
];

/** Both branches of an If that reads this name. */
function branches(reads: string): { readonly then_branch: GraphProto; readonly else_branch: GraphProto } {
  const branch = (): GraphProto =>
    graph({ nodes: [node("Identity", [reads], ["chosen"])], outputs: [value("chosen", "float", null)] });
  return { then_branch: branch(), else_branch: branch() };
}

const names: readonly BadModel[] = [
  {
    name: "two initializers of one name",
    make: () => broken({ initializers: [weight("w", [6, 6], 1), weight("w", [6, 6], 2)] }),
    words: /The name "w" is defined twice/,
  },
  {
    name: "a dense and a sparse initializer of one name",
    make: () => broken({ sparse: [models.sparseTensor([6, 6], tensor("w", "float", [1], [1]), [3])] }),
    words: /The name "w" is defined twice/,
  },
  {
    name: "a Constant node and an initializer of one name",
    make: () =>
      broken({
        nodes: [node("Constant", [], ["w"], { value: weight("", [6, 6], 2) }), node("MatMul", ["x", "w"], ["y"])],
      }),
    words: /The name "w" is defined twice/,
  },
  {
    name: "two nodes with one output",
    make: () => broken({ nodes: [node("Relu", ["x"], ["y"]), node("MatMul", ["x", "w"], ["y"])] }),
    words: /The name "y" is defined twice/,
  },
  {
    name: "one node with one output twice",
    make: () => broken({ nodes: [node("Split", ["x"], ["y", "y"])] }),
    words: /The name "y" is defined twice/,
  },
  {
    name: "a node that writes an input",
    make: () => broken({ nodes: [node("MatMul", ["x", "w"], ["x"])] }),
    words: /The name "x" is defined twice/,
  },
  {
    name: "a node that writes an initializer",
    make: () => broken({ nodes: [node("MatMul", ["x", "w"], ["w"])] }),
    words: /The name "w" is defined twice/,
  },
  {
    name: "two inputs of one name",
    make: () => broken({ inputs: [x(), x()] }),
    words: /The name "x" is defined twice/,
  },
  {
    name: "an output that nothing computes",
    make: () => broken({ outputs: [value("y", "float", null), value("ghost", "float", [1])] }),
    words: /output "ghost" is computed by no node/,
  },
  {
    name: "a node that reads what nothing defines",
    make: () => broken({ nodes: [node("MatMul", ["x", "ghost"], ["y"], {}, { name: "layer1" })] }),
    words: /Node "layer1" reads "ghost", which nothing defines/,
  },
  {
    name: "a branch that reads what nothing defines",
    make: () =>
      broken({
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("If", ["flag"], ["y"], branches("ghost"))],
        inputs: [x(), value("flag", "bool", [])],
      }),
    words: /Node "y" reads "ghost", which nothing defines/,
  },
  {
    name: "a branch that gives what nothing defines",
    make: () =>
      broken({
        nodes: [
          node("If", ["flag"], ["y"], { then_branch: graph({ nodes: [], outputs: [value("ghost", "float", null)] }) }),
        ],
        inputs: [x(), value("flag", "bool", [])],
      }),
    words: /Node "y" reads "ghost", which nothing defines/,
  },
  {
    name: "a cycle of three nodes",
    make: () =>
      broken({
        nodes: [
          node("Add", ["x", "c"], ["a"]),
          node("Relu", ["a"], ["b"]),
          node("Relu", ["b"], ["c"]),
          node("Relu", ["c"], ["y"]),
        ],
      }),
    words: /cycle through node "[abc]"/,
  },
  {
    name: "a node that reads itself",
    make: () => broken({ nodes: [node("Add", ["x", "y"], ["y"])] }),
    words: /cycle through node "y"/,
  },
  {
    name: "a cycle through a branch",
    make: () =>
      broken({ nodes: [node("If", ["flag"], ["y"], branches("y"))], inputs: [x(), value("flag", "bool", [])] }),
    words: /cycle through node "y"/,
  },
];

const sparse = (change: (stored: ReturnType<typeof models.sparseTensor>) => void): models.TestModel => {
  const stored = models.sparseTensor([6, 6], tensor("w", "float", [2], [1, 2]), [3, 7]);
  change(stored);
  return broken({ initializers: [], sparse: [stored] });
};

const others: readonly BadModel[] = [
  {
    name: "opset 6",
    make: () => broken({}, { opset: 6 }),
    code: "unsupported-format",
    words: /uses opset 6; PruneScope reads opset 7 and up/,
  },
  {
    name: "a sparse tensor without values",
    make: () => sparse((stored) => delete stored.values),
    words: /Sparse tensor "" has no values/,
  },
  {
    name: "a sparse tensor with more values than elements",
    make: () => sparse((stored) => (stored.dims = [1n])),
    words: /Sparse tensor "w" of shape \[1\] stores 2 values/,
  },
  {
    name: "a sparse tensor of a negative shape",
    make: () => sparse((stored) => (stored.dims = [-6n, 6n])),
    words: /"w" has the shape \[-6, 6\]/,
  },
  {
    name: "a broken tensor in an attribute of an unknown operator",
    make: () =>
      broken({
        nodes: [
          node(
            "Odd",
            ["x"],
            ["y"],
            { table: brokenWeight((w) => (w.dims = [-1n])).proto.graph!.initializer[0]! },
            { domain: "odd" },
          ),
        ],
      }),
    words: /has the shape \[-1\]/,
  },
];

export const badModels: readonly BadModel[] = [...badFunctions, ...names, ...others, ...shapes];
