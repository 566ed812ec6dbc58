/** Raised, with branches inlined and recurrent layers unrolled, every real model computes what its file computes. */
import { expect, test } from "vitest";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import { foldShapes } from "../../server/src/graph/fold-shapes.js";
import { inlineBranches } from "../../server/src/graph/inline-branches.js";
import { modernise } from "../../server/src/graph/modernise/index.js";
import { findPrunable } from "../../server/src/graph/prunable.js";
import { storageKey } from "../../server/src/graph/tensor.js";
import { unrollRecurrent } from "../../server/src/graph/unroll-recurrent.js";
import { conditionRunner } from "../../server/src/runtime/conditions.js";
import { shapeRunner } from "../../server/src/runtime/fixed-values.js";
import { syntheticInput } from "../../server/src/runtime/inputs.js";
import { valueTypes } from "../../server/src/runtime/shapes.js";
import { realModelAxes } from "../cases/real-model-axes.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { fileTensor, relativeDifference, runModel } from "../support/run-model.js";

test.each(realModels)("$file", async (real) => {
  const source = new Source(realModelPath(real));
  try {
    const read = readOnnx(source);
    const { feeds } = await syntheticInput(read.graph.inputs, realModelAxes, 7);
    const inputShapes = new Map(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
    const constant = (one: Parameters<typeof fileTensor>[1]): Promise<ReturnType<typeof fileTensor>> =>
      Promise.resolve(fileTensor(source, one));
    const circumstances = { feeds, inputShapes, threads: 1, constant };
    const branched = await inlineBranches(modernise(read), conditionRunner(circumstances));
    const flat = await foldShapes(branched.model, shapeRunner(circumstances));
    const { graph, left } = unrollRecurrent(flat.graph, await valueTypes(flat, inputShapes, 1));
    expect(left).toEqual([]);
    const operators = new Set(graph.nodes.map(({ op }) => op));
    expect([...operators].filter((op) => ["LSTM", "GRU", "RNN"].includes(op))).toEqual([]);
    expect(operators.has("If")).toBe(branched.left.length > 0);
    const expected = await runModel(read, feeds, source);
    // Unrolled LSTMs sum in another order than ONNX Runtime's kernel; all else is the same kernels.
    expect(relativeDifference(expected, await runModel({ ...flat, graph }, feeds, source))).toBeLessThanOrEqual(1e-5);
    // Every weight on the way to the outputs is there under its storage, once.
    const stored = new Set([...graph.constants.values()].map(({ tensor }) => storageKey(tensor)));
    const { weights } = findPrunable(flat);
    for (const weight of weights) expect(stored).toContain(storageKey(weight.tensor));
    if (branched.taken.length + branched.left.length === 0) {
      expect(weights.length).toBe(Object.values(real.layers).reduce((sum, count) => sum + count, 0));
    }
  } finally {
    source.close();
  }
});
