/** Laws of following a weight through the operators between its storage and its use. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passesWeights, range, Tracer } from "../../server/src/graph/origin.js";
import { layerLine } from "../cases/fixtures.js";
import { refusedWeights } from "../cases/refused-weights.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { model, node, type TestModel, value, weight } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

describe("a weight is left alone, and the reason said, when it is", () => {
  test.each(refusedWeights)("$name", ({ make, reason }) => {
    reading(folder.write("refused.onnx", make()), ({ search }) => {
      expect(search.weights.filter(({ name }) => name === "w")).toEqual([]);
      const stated = search.unprunable.filter(({ weight: name }) => name === "w").map((view) => view.reason);
      expect(stated).toEqual([reason]);
    });
  });
});

/** x times a weight behind `length` Identity nodes. */
function chainOf(length: number): TestModel {
  const names = range(0, length).map((i) => `i${i}`);
  return model({
    graph: {
      nodes: [
        ...names.map((name, i) => node("Identity", [i === 0 ? "w" : names[i - 1]!], [name])),
        node("MatMul", ["x", names.at(-1)!], ["y"]),
      ],
      inputs: [value("x", "float", [2, 6])],
      outputs: [value("y", "float", [2, 6])],
      initializers: [weight("w", [6, 6], 1)],
    },
  });
}

describe("chains", () => {
  test("a chain of 16 operators is followed", () => {
    reading(folder.write("chain.onnx", chainOf(16)), ({ search }) => {
      expect(search.weights.map(layerLine)).toEqual([
        `w: MatMul [6, 6], out 1, in 0, via ${Array<string>(16).fill("Identity").join(" ")}`,
      ]);
    });
  });

  test("a longer chain is computed, not followed", () => {
    reading(folder.write("chain.onnx", chainOf(17)), ({ search }) => {
      expect(search.weights).toEqual([]);
    });
  });

  test("a chain of 50,000 operators takes time and memory in proportion to it", () => {
    const path = folder.write("chain.onnx", chainOf(50_000));
    const before = process.memoryUsage().heapUsed;
    // Quadratic time would be minutes: the test's own time limit tells.
    reading(path, ({ search }) => {
      expect(search.weights).toEqual([]);
    });
    // 50,000 lists of up to 50,000 names would be ten gigabytes; the graph itself takes about 1 kB a node.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200e6);
  });

  test("a value that several nodes share is followed once", () => {
    reading(folder.write("chain.onnx", chainOf(8)), ({ model: read }) => {
      const tracer = new Tracer();
      const first = tracer.trace(read.graph, "i7");
      expect(tracer.trace(read.graph, "i7")).toBe(first);
      expect(first?.constant.name).toBe("w");
      expect(tracer.trace(read.graph, "x")).toBeNull();
      expect(tracer.trace(read.graph, "y")).toBeNull();
      expect(tracer.trace(read.graph, "nowhere")).toBeNull();
      expect(read.graph.nodes.map(passesWeights)).toEqual([...Array<boolean>(8).fill(true), false]);
    });
  });
});
