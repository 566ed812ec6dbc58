/** Branches that inputs and shapes decide are inlined, and the flat model computes what the nested one did. */
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import type { Model } from "../../server/src/graph/graph.js";
import { type InlinedBranches, inlineBranches } from "../../server/src/graph/inline-branches.js";
import { findPrunable } from "../../server/src/graph/prunable.js";
import { reachable } from "../../server/src/graph/reachable.js";
import { allGraphs } from "../../server/src/graph/traversal.js";
import { conditionRunner } from "../../server/src/runtime/conditions.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import { syntheticInput } from "../../server/src/runtime/inputs.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { graph, model, node, tensor, value } from "../support/models.js";
import { fileTensor, type Outputs, relativeDifference, runModel } from "../support/run-model.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const inline = (read: Model, feeds: Outputs, source: Source | null = null): Promise<InlinedBranches> =>
  inlineBranches(
    read,
    conditionRunner({
      feeds,
      inputShapes: new Map(Object.entries(feeds).map(([name, { dims }]) => [name, dims])),
      threads: 1,
      constant: (one) => Promise.resolve(fileTensor(source!, one)),
    }),
  );

const trimmed = (flat: Model): Model => ({
  ...flat,
  graph: reachable(
    flat.graph,
    flat.graph.outputs.map(({ name }) => name),
  ),
});

/** Weights on the path that the inputs take, of each real model with an If that inputs or shapes decide. */
const onPath = (file: string): number => (/v5|v6/.test(file) ? 6 + 2 : 18 + 4);

describe.each(realModels.filter(({ file }) => /silero|jarvis/.test(file)))("$file", (real) => {
  test.each([8000, 16000])("at a sample rate of %i", async (rate) => {
    const source = new Source(realModelPath(real));
    try {
      const read = readOnnx(source);
      // Silero takes 32 ms of sound.
      const synthetic = await syntheticInput(
        read.graph.inputs,
        { sequence: (512 * rate) / 16000, "input:1": (512 * rate) / 16000 },
        3,
      );
      const feeds: Outputs = { ...synthetic.feeds, sr: new ort.Tensor("int64", [BigInt(rate)], []) };
      const { model: flat, taken, left, placed } = await inline(read, feeds, source);
      expect(left).toHaveLength(real.file.includes("jarvis") ? 1 : 0);
      expect(flat.graph.nodes.filter(({ op }) => op === "If")).toHaveLength(left.length);
      const small = trimmed(flat);
      // The same kernels in the same order.
      expect(relativeDifference(await runModel(read, feeds, source), await runModel(small, feeds, source))).toBe(0);
      if (left.length > 0) {
        expect(left[0]!.why).toMatch(/depends on the elements of "x/);
        return;
      }
      expect(taken.some(({ why }) => why.endsWith('for the given input "sr"'))).toBe(true);
      // A weight is found by its branch's path and its name, with the same tensor; those of other branches are gone.
      const { weights } = findPrunable(read);
      let found = 0;
      for (const inner of allGraphs(read.graph)) {
        for (const [name, { tensor: stored }] of inner.constants) {
          const now = inner.path === "" ? name : placed.get(inner.path)?.get(name);
          const there = small.graph.constants.get(now ?? "");
          if (there !== undefined) expect(there.tensor).toBe(stored);
          if (there !== undefined && weights.some(({ tensor: weight }) => weight === stored)) found++;
        }
      }
      expect(found).toBe(findPrunable(small).weights.length);
      expect(found).toBe(onPath(real.file));
    } finally {
      source.close();
    }
  });
});

const floats = (name: string, ...values: number[]): ReturnType<typeof tensor> =>
  tensor(name, "float", [values.length], values);
const out = (name: string): ReturnType<typeof value> => value(name, "float", null);

/** Two branches with names of their own and outside, one of them with another If inside. */
function nested(condition: "input" | "constant" | "shape" | "data"): Model {
  const inner = node("If", ["far"], ["i"], {
    then_branch: graph({
      nodes: [node("Mul", ["w", "x"], ["r"])],
      outputs: [out("r")],
      initializers: [floats("v", 9, 9)],
    }),
    else_branch: graph({ nodes: [], outputs: [out("v")], initializers: [floats("v", 5, 7)] }),
  });
  const made = model({
    graph: {
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["length"]),
        node("Greater", ["length", "one"], ["from_shape"]),
        node("ReduceSum", ["x"], ["total"], { keepdims: 0 }),
        node("Greater", ["total", "threshold"], ["from_data"]),
        node("If", [{ input: "c", constant: "yes", shape: "from_shape", data: "from_data" }[condition]], ["y", "n"], {
          then_branch: graph({
            nodes: [node("Not", ["c"], ["far"]), inner, node("Add", ["i", "w"], ["u"]), node("Neg", ["u"], ["minus"])],
            outputs: [out("u"), out("minus")],
            initializers: [floats("w", 1, 2)],
          }),
          else_branch: graph({
            nodes: [node("Sub", ["x", "w"], ["u"])],
            outputs: [out("u"), out("w")],
            initializers: [floats("w", 3, 4)],
          }),
        }),
      ],
      inputs: [value("x", "float", [2]), value("c", "bool", [])],
      outputs: [out("y"), out("n")],
      initializers: [
        tensor("zero", "int64", [], [0]),
        tensor("one", "int64", [], [1]),
        tensor("yes", "bool", [], [1]),
        floats("threshold", 0),
      ],
    },
  });
  return reading(folder.write(`${condition}.onnx`, made), (read) => read.model);
}

describe("a branch inside a branch", () => {
  const cases = (["input", "constant", "shape", "data"] as const).flatMap((condition) =>
    [true, false].map((c) => ({ condition, c })),
  );
  test.each(cases)("decided by $condition, c = $c", async ({ condition, c }) => {
    const read = nested(condition);
    const feeds = {
      x: new ort.Tensor("float32", Float32Array.of(2, 3), [2]),
      c: new ort.Tensor("bool", [c], []),
    };
    const { model: flat, taken, left } = await inline(read, feeds);
    expect(relativeDifference(await runModel(read, feeds), await runModel(trimmed(flat), feeds))).toBe(0);
    for (const inner of allGraphs(flat.graph))
      for (const { attributes } of inner.nodes)
        for (const one of attributes.values()) if (one.kind === "graph") expect(one.value.parent).toBe(inner);
    const whys = taken.map(({ node: label, branch, why }) => `${label} ${branch}: ${why}`);
    if (condition === "data") {
      expect(taken).toEqual([]);
      expect(left).toEqual([{ node: "y", why: 'its condition depends on the elements of "x"' }]);
      return;
    }
    expect(left).toEqual([]);
    const outer = {
      input: `y ${c ? "then" : "else"}_branch: its condition is ${c} for the given input "c"`,
      constant: "y then_branch: its condition is true whatever the input",
      shape: "y then_branch: its condition is true for the given shapes",
    }[condition];
    // The inner If lies in the branch that is taken, and asks for the opposite of c.
    const inside = `y.then_branch/i ${c ? "else" : "then"}_branch: its condition is ${!c} for the given input "c"`;
    expect(whys).toEqual(outer.includes("then_branch") ? [outer, inside] : [outer]);
  });
});
