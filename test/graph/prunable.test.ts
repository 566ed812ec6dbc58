/** Laws of the search for prunable weights, on every fixture model. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allNodes } from "../../server/src/graph/traversal.js";
import { fixtures, layerLine } from "../cases/fixtures.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { graph, inheritedNames, model, node, tensor, value, weight, writeModel } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

describe.each(fixtures)("$name", ({ make, layers }) => {
  test("has exactly these layers, with these axes", () => {
    const lines = reading(folder.write("model.onnx", make()), ({ search }) => search.weights.map(layerLine));
    expect(lines).toEqual(layers);
  });

  test("has the same layers however often it is read and written", () => {
    const first = reading(folder.write("first.onnx", make()), ({ search }) => search.weights.map(({ id }) => id));
    const again = reading(folder.write("again.onnx", make()), ({ search }) => search.weights.map(({ id }) => id));
    expect(again).toEqual(first);
    expect(new Set(first).size).toBe(first.length);
  });

  test("has nodes in topological order, outer values first", () => {
    reading(folder.write("model.onnx", make()), ({ model: read }) => {
      const seen = new Set([...read.graph.inputs.map(({ name }) => name), ""]);
      const constants = new Set<string>();
      for (const { node: one, graph: scope } of allNodes(read.graph)) {
        for (const name of [...scope.constants.keys()]) constants.add(name);
        for (const { name } of scope.inputs) seen.add(name);
        for (const input of one.inputs) expect(seen.has(input) || constants.has(input), input).toBe(true);
        for (const output of one.outputs) seen.add(output);
      }
    });
  });
});

describe("identity of layers", () => {
  test("equal names in two branches make two ids", () => {
    const branch = (seed: number): ReturnType<typeof graph> =>
      graph({
        nodes: [node("MatMul", ["x", "w"], ["z"])],
        outputs: [value("z", "float", [2, 4])],
        initializers: [weight("w", [6, 4], seed)],
      });
    const made = model({
      graph: {
        nodes: [
          node("If", ["flag"], [], { then_branch: branch(1), else_branch: branch(2) }),
          node("If", ["flag"], [], { then_branch: branch(3), else_branch: branch(4) }),
          node("Identity", ["x"], ["y"]),
        ],
        inputs: [value("x", "float", [2, 6]), value("flag", "bool", [])],
        outputs: [value("y", "float", [2, 6])],
      },
    });
    const ids = reading(writeModel(folder.file("same.onnx"), made), ({ search }) => search.weights.map(({ id }) => id));
    expect(ids).toEqual([".then_branch/w", ".else_branch/w", ".then_branch/w#2", ".else_branch/w#2"]);
  });

  test("a name that already ends like a number keeps ids unique", () => {
    const made = model({
      graph: {
        nodes: [node("MatMul", ["x", "w#2"], ["h"]), node("MatMul", ["h", "w"], ["y"])],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", [2, 6])],
        initializers: [weight("w", [6, 6], 1), weight("w#2", [6, 6], 2)],
      },
    });
    const ids = reading(folder.write("hash.onnx", made), ({ search }) => search.weights.map(({ id }) => id));
    expect(ids).toEqual(["w#2", "w"]);
  });

  test("two constants with the same storage are one weight", () => {
    const shared = weight("a", [6, 6], 1, "float", "raw");
    const made = model({
      graph: {
        nodes: [
          node("Constant", [], ["a"], { value: shared }),
          node("Identity", ["a"], ["b"]),
          node("MatMul", ["x", "a"], ["h"]),
          node("MatMul", ["h", "b"], ["y"]),
        ],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", [2, 6])],
      },
    });
    reading(folder.write("tied.onnx", made), ({ search }) => {
      expect(search.weights.map(layerLine)).toEqual(["a: MatMul [6, 6], out 1, in 0, 2 uses"]);
      expect(search.parameters).toBe(36);
    });
  });
});

describe("operators named like what every object inherits", () => {
  test.each(inheritedNames)("%s is an unknown operator, not a rule", (op) => {
    const made = model({
      graph: {
        nodes: [node(op, ["x", "w"], ["h"]), node("MatMul", ["h", "w"], ["y"])],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", [2, 6])],
        initializers: [weight("w", [6, 6], 1)],
      },
    });
    reading(folder.write("inherited.onnx", made), ({ search }) => {
      expect(search.weights.map(layerLine)).toEqual(["w: MatMul [6, 6], out 1, in 0"]);
    });
  });

  test.each(inheritedNames)("a weight, a value and a node may be called %s", (name) => {
    const made = model({
      metadata: { [name]: name },
      graph: {
        nodes: [node("MatMul", ["x", name], ["y"], {}, { name })],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", [2, 6])],
        initializers: [weight(name, [6, 6], 1)],
      },
    });
    reading(folder.write("inherited.onnx", made), ({ search }) => {
      expect(search.weights.map(layerLine)).toEqual([`${name}: MatMul [6, 6], out 1, in 0`]);
    });
  });
});

describe("counting", () => {
  test("parameters are all trained numbers, prunable or not, tied ones once", () => {
    const made = model({
      graph: {
        nodes: [
          node("Gather", ["embedding", "ids"], ["e"]),
          node("Gemm", ["e", "w", "b"], ["y"]),
          node("Unsqueeze", ["y", "axes"], ["z"]),
        ],
        inputs: [value("ids", "int64", [4])],
        outputs: [value("z", "float", null)],
        initializers: [
          weight("embedding", [20, 6], 1),
          weight("w", [6, 5], 2),
          weight("b", [5], 3),
          tensor("axes", "int64", [1], [0]),
        ],
      },
    });
    reading(folder.write("counting.onnx", made), ({ search }) => {
      expect(search.parameters).toBe(20 * 6 + 6 * 5 + 5);
      expect(search.weights.map(layerLine)).toEqual(["w: Gemm [6, 5], out 1, in 0"]);
      expect(search.unprunable).toEqual([
        { weight: "embedding", shape: [20, 6], reason: "input 0 of Gather is not a weight that pruning touches" },
      ]);
    });
  });
});
