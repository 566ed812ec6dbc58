/** What follows from shapes becomes constants; what follows from elements, of whole numbers too, does not. */
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { dataDependence } from "../../server/src/graph/data-dependence.js";
import { foldShapes } from "../../server/src/graph/fold-shapes.js";
import { literalValues } from "../../server/src/graph/literal.js";
import { shapeRunner } from "../../server/src/runtime/fixed-values.js";
import { valueTypes } from "../../server/src/runtime/shapes.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { graph, model, node, tensor, type TestModel, value } from "../support/models.js";
import { type Outputs, relativeDifference, runModel } from "../support/run-model.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const ints = (name: string, ...values: number[]): ReturnType<typeof tensor> =>
  tensor(name, "int64", [values.length], values);
const out = (name: string): ReturnType<typeof value> => value(name, "float", null);

interface Case {
  readonly name: string;
  readonly nodes: readonly ReturnType<typeof node>[];
  /** Operators that are left. */
  readonly left: readonly string[];
  /** Values that became constants, with their elements. */
  readonly folded: Readonly<Record<string, readonly number[]>>;
}

/** On x float[2, 6] and ids int64[2, 3], with a table float[4, 5] and whole numbers around. */
const cases: readonly Case[] = [
  {
    name: "a Reshape to a computed shape",
    nodes: [
      node("Shape", ["x"], ["shape"]),
      node("Slice", ["shape", "zero", "one"], ["batch"]),
      node("Concat", ["batch", "three", "minus"], ["target"], { axis: 0 }),
      node("Reshape", ["x", "target"], ["y"]),
    ],
    left: ["Reshape"],
    folded: { target: [2, 3, -1] },
  },
  {
    name: "a value that is an output stays computed",
    nodes: [node("Shape", ["x"], ["y"])],
    left: ["Shape"],
    folded: {},
  },
  {
    name: "numbers from the elements of whole inputs stay",
    nodes: [node("Add", ["ids", "one"], ["more"]), node("Gather", ["table", "more"], ["y"])],
    left: ["Add", "Gather"],
    folded: {},
  },
  {
    name: "trained numbers stay, scales from shapes are cast where they were",
    nodes: [
      node("Transpose", ["table"], ["turned"], { perm: [1, 0] }),
      node("Shape", ["x"], ["shape"]),
      node("ReduceProd", ["shape"], ["count"], { keepdims: 0 }),
      node("Cast", ["count"], ["scale"], { to: 1 }),
      node("Div", ["turned", "scale"], ["y"]),
    ],
    left: ["Transpose", "Cast", "Div"],
    folded: { count: [12] },
  },
  {
    name: "a shape that depends on elements stays",
    nodes: [
      node("NonZero", ["x"], ["where"]),
      node("Shape", ["where"], ["shape"]),
      node("ConstantOfShape", ["shape"], ["y"]),
    ],
    left: ["NonZero", "Shape", "ConstantOfShape"],
    folded: {},
  },
  {
    name: "one of two outputs is used",
    nodes: [
      node("Shape", ["x"], ["shape"]),
      node("Split", ["shape", "ones"], ["first", "second"]),
      node("Expand", ["row", "first"], ["y"]),
    ],
    left: ["Expand"],
    folded: { first: [2] },
  },
  {
    name: "a branch reads it from outside",
    nodes: [
      node("Shape", ["x"], ["shape"]),
      node("ReduceSum", ["x"], ["sum"], { keepdims: 0 }),
      node("Cast", ["sum"], ["c"], { to: 9 }),
      node("If", ["c"], ["y"], {
        then_branch: graph({ nodes: [node("Expand", ["row", "shape"], ["t"])], outputs: [out("t")] }),
        else_branch: graph({ nodes: [node("Identity", ["row"], ["e"])], outputs: [out("e")] }),
      }),
    ],
    left: ["ReduceSum", "Cast", "If"],
    folded: { shape: [2, 6] },
  },
];

const built = ({ nodes }: Case): TestModel =>
  model({
    graph: {
      nodes,
      inputs: [value("x", "float", ["N", "C"]), value("ids", "int64", ["N", "T"])],
      outputs: [value("y", nodes.at(-1)!.opType === "Shape" ? "int64" : "float", null)],
      initializers: [
        tensor(
          "table",
          "float",
          [4, 5],
          Array.from({ length: 20 }, (_, i) => i),
        ),
        tensor("row", "float", [1], [3]),
        ints("zero", 0),
        ints("one", 1),
        ints("three", 3),
        ints("minus", -1),
        ints("ones", 1, 1),
      ],
    },
  });

const feeds: Outputs = {
  x: new ort.Tensor(
    "float32",
    Float32Array.from({ length: 12 }, (_, i) => i - 4),
    [2, 6],
  ),
  ids: new ort.Tensor("int64", BigInt64Array.of(0n, 1n, 2n, 1n, 0n, 2n), [2, 3]),
};
const inputShapes = new Map(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));

describe("folding", () => {
  test.each(cases.map((one, i) => [one.name, one, i] as const))("%s", async (_, one, i) => {
    const read = reading(folder.write(`${i}.onnx`, built(one)), (found) => found.model);
    const constant = (): Promise<ort.Tensor> => Promise.reject(new Error("nothing here is large"));
    const folded = await foldShapes(read, shapeRunner({ feeds, inputShapes, threads: 1, constant }));
    expect(folded.graph.nodes.map(({ op }) => op)).toEqual(one.left);
    const added = [...folded.graph.constants.values()].filter(({ name }) => !read.graph.constants.has(name));
    expect(Object.fromEntries(added.map((made) => [made.name, literalValues(made)]))).toEqual(one.folded);
    expect(relativeDifference(await runModel(read, feeds), await runModel(folded, feeds))).toBe(0);
    // Whatever does not depend on elements has a shape that is known ahead now.
    const { shapes } = dataDependence(folded.graph);
    for (const [name, { shape }] of await valueTypes(folded, inputShapes, 1))
      if (!shapes.has(name)) expect(shape, name).not.toBeNull();
  });
});
