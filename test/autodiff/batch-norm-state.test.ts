/** What BatchNormalization layers say of a model, on fresh and trained exports of the same network. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type BatchNormState, batchNormState, chooseStatistics } from "../../server/src/autodiff/batch-norm-state.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import { ModelFolder } from "../support/model-folder.js";
import { convNet, node, tensor, type TestModel } from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

/** The network with BatchNormalization's tensors replaced. */
function net(values: Readonly<Record<string, number | readonly number[]>>): TestModel {
  const made = convNet();
  for (const [name, value] of Object.entries(values)) {
    const numbers = typeof value === "number" ? Array<number>(8).fill(value) : value;
    made.proto.graph!.initializer.find((one) => one.name === name)!.rawData = tensor(
      name,
      "float",
      [8],
      numbers,
    ).rawData;
  }
  return made;
}

/** As PyTorch exports a fresh network: equal tensors are stored once and shared by Identity. */
function shared(): TestModel {
  const made = convNet();
  const graph = made.proto.graph!;
  graph.initializer = graph.initializer.filter(({ name }) => name !== "bn.var" && name !== "bn.mean");
  graph.node.unshift(node("Identity", ["bn.scale"], ["bn.var"]), node("Identity", ["bn.bias"], ["bn.mean"]));
  return made;
}

function computed(): TestModel {
  const made = convNet();
  const graph = made.proto.graph!;
  graph.initializer = graph.initializer.filter(({ name }) => name !== "bn.mean");
  graph.node.unshift(node("Sub", ["bn.scale", "bn.var"], ["bn.mean"]));
  return made;
}

const without = (): TestModel => {
  const made = convNet();
  const norm = made.proto.graph!.node.find(({ opType }) => opType === "BatchNormalization")!;
  norm.opType = "Identity";
  norm.input = norm.input.slice(0, 1);
  return made;
};

const few = [1, 1, 1, 1.01, 1, 1, 1, 1];

it.each<[string, TestModel, BatchNormState, string]>([
  ["as it was made", net({}), "fresh", "mean 0, variance 1"],
  ["shared by Identity", shared(), "fresh", "1 layer"],
  ["a scale of 0, as the last layer of a residual branch may start", net({ "bn.scale": 0 }), "fresh", "or 0"],
  ["a scale that one channel moved", net({ "bn.scale": few }), "trained", "1 of 1 layer"],
  ["a shift", net({ "bn.bias": 0.01, "bn.mean": 0.2 }), "trained", "scale and shift"],
  ["statistics of data, but nothing learnt", net({ "bn.mean": 0.2 }), "unclear", "running statistics of data"],
  ["a computed mean", computed(), "unclear", "computed"],
  ["no such layer", without(), "none", ""],
])("%s", (_, made, state, words) => {
  const path = folder.write("net.onnx", made);
  const source = new Source(path);
  try {
    const found = batchNormState(readOnnx(source).graph, source);
    expect(found).toMatchObject({ state, words: expect.stringContaining(words) as string });
    // `auto` takes the statistics of the batch for what is fresh only.
    const runs = { data: { samples: 32, samplesPerRun: null }, count: 32, perSample: false };
    expect(chooseStatistics(found.state, "auto", runs).mode).toBe(
      state === "none" ? null : state === "fresh" ? "batch" : "stored",
    );
  } finally {
    source.close();
  }
});
