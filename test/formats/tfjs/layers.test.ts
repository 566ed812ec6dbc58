/** Laws of lowered layers: every class is accounted for, kernels keep their roles, and what is not lowered leaves the rest in sight. */
import { serialization } from "@tensorflow/tfjs-core";
import { input, layers, model, sequential, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { afterAll, describe, expect, test } from "vitest";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { layerRules } from "../../../server/src/formats/tfjs/layers/rules/index.js";
import { findPrunable } from "../../../server/src/graph/prunable.js";
import { layerLine } from "../../cases/fixtures.js";
import { layerCases } from "../../cases/tfjs/layers/index.js";
import { ModelFolder } from "../../support/model-folder.js";
import { floats, layersModel, runLowered, type TfjsModel, writeTfjs } from "../../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

type Layer = InstanceType<typeof layers.Layer>;

/** Prunable weights, in words, and notes of a model. */
async function found(
  made: TfjsModel,
): Promise<{ readonly lines: readonly string[]; readonly notes: readonly string[] }> {
  return withModel(writeTfjs(folder.place(), made), ({ model: { graph, notes, ...rest } }) =>
    Promise.resolve({ lines: findPrunable({ graph, notes, ...rest }).weights.map(layerLine), notes }),
  );
}

const single = (shape: readonly number[], make: () => Layer): Promise<TfjsModel> =>
  layersModel(() => {
    const x = input({ name: "x", shape: [...shape] });
    return model({ inputs: x, outputs: make().apply(x) as SymbolicTensor });
  });

describe("classes of layers", () => {
  /** Not lowered, each with its reason in its rule; or no layers by themselves. */
  const named = ["ConvLSTM2D", "RandomWidth", "Resizing"];
  const parts = ["ConvLSTM2DCell", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells", "Model"];

  test("every class of TensorFlow.js is lowered, and has a case, or is known not to be", () => {
    const { classNameMap } = serialization.SerializationMap.getMap();
    const { Layer } = layers;
    const classes = Object.entries(classNameMap)
      .filter(([name, [of]]) => of.prototype instanceof Layer && !name.startsWith("PruneScope"))
      .map(([name]) => name);
    const covered = new Set([...layerCases.map(({ of }) => of), ...named, ...parts]);
    expect(classes.filter((name) => !covered.has(name))).toEqual([]);
    expect(new Set(layerRules.flatMap((rule) => rule.classes)).size).toBe(layerRules.flatMap((r) => r.classes).length);
  });
});

describe("roles of kernels as they are stored", () => {
  const kernel: readonly (readonly [string, readonly number[], () => Layer, readonly string[]])[] = [
    ["Dense", [8], () => layers.dense({ units: 4, name: "l" }), ["l/kernel: Gemm [8, 4], out 1, in 0"]],
    [
      "Conv1D",
      [9, 8],
      () => layers.conv1d({ filters: 4, kernelSize: 3, name: "l" }),
      ["l/kernel: Conv [3, 8, 4], out 2, in 1, spatial 0, via Transpose"],
    ],
    [
      "Conv2DTranspose",
      [4, 4, 8],
      () => layers.conv2dTranspose({ filters: 4, kernelSize: 3, name: "l" }),
      ["l/kernel: ConvTranspose [3, 3, 4, 8], out 2, in 3, spatial 0 1, via Transpose"],
    ],
    [
      "DepthwiseConv2D",
      [4, 4, 8],
      () => layers.depthwiseConv2d({ kernelSize: 3, name: "l" }),
      ["l/depthwise_kernel: Conv [3, 3, 8, 1], out 2, in 3, spatial 0 1, groups 8, via Transpose"],
    ],
    [
      "DepthwiseConv2D with a multiplier",
      [4, 4, 8],
      () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, name: "l" }),
      ["l/depthwise_kernel: Conv [3, 3, 8, 2], out 2 3, spatial 0 1, groups 8, via Transpose Reshape"],
    ],
    [
      "LSTM",
      [5, 8],
      () => layers.lstm({ units: 4, name: "l" }),
      [
        "l/kernel: LSTM [8, 16], out 1, in 0, via Transpose Split Concat Unsqueeze",
        "l/recurrent_kernel: LSTM [4, 16], out 1, in 0, via Transpose Split Concat Unsqueeze",
      ],
    ],
    [
      "Bidirectional",
      [5, 8],
      () => layers.bidirectional({ layer: layers.gru({ units: 4 }), name: "l", mergeMode: "concat" }),
      ["forward", "backward"].flatMap((way) => [
        expect.stringMatching(`${way}.*/kernel: GRU \\[8, 12\\], out 1, in 0, via Transpose Unsqueeze`) as string,
        expect.stringMatching(
          `${way}.*/recurrent_kernel: GRU \\[4, 12\\], out 1, in 0, via Transpose Unsqueeze`,
        ) as string,
      ]),
    ],
  ];

  test.each(kernel)("%s", async (_name, shape, make, lines) => {
    expect((await found(await single(shape, make))).lines).toEqual(lines);
  });
});

describe("what is not lowered", () => {
  const three = (): Promise<TfjsModel> =>
    layersModel(() =>
      sequential({
        layers: ["a", "b", "c"].map((name) => layers.dense({ units: 4, name, inputShape: [4] })),
      }),
    );
  test("a class of the model's own is named, with the layers that it cuts off; all weights are in sight", async () => {
    const own = await three();
    const topology = own.topology as { config: { layers: { class_name: string }[] } };
    topology.config.layers.find((layer) => JSON.stringify(layer).includes('"name":"b"'))!.class_name = "Mine";
    const { lines, notes } = await found(own);
    expect(lines).toEqual([
      "a/kernel: Gemm [4, 4], out 1, in 0",
      "b/kernel: tfjs.Mine [4, 4]",
      "c/kernel: Gemm [4, 4], out 1, in 0",
    ]);
    expect(notes).toEqual([
      '"b" (Mine) is not lowered: TensorFlow.js has no class "Mine".',
      'No derivative reaches "a": all that comes of them goes through what is not lowered.',
    ]);
  });

  test("a recurrent activation that ONNX does not have", async () => {
    const { lines, notes } = await found(
      await single([3, 4], () => layers.gru({ units: 4, activation: "selu", name: "l" })),
    );
    expect(notes).toEqual(['"l" (GRU) is not lowered: ONNX\' GRU has no activation "selu".']);
    expect(lines).toEqual(["l/kernel: tfjs.GRU [4, 12]", "l/recurrent_kernel: tfjs.GRU [4, 12]"]);
  });
});

test("BatchNormalization works along the axis that it is given, as TensorFlow does and tfjs' cpu backend does not", async () => {
  const [mean, variance, gamma, beta] = [
    [0.1, -0.2, 0.3],
    [1, 2, 0.5],
    [1, 0.5, 2],
    [0, 1, -1],
  ];
  const values: Readonly<Record<string, readonly number[]>> = {
    moving_mean: mean,
    moving_variance: variance,
    gamma: gamma,
    beta: beta,
  };
  const made = await layersModel(
    () => {
      const x = input({ name: "x", shape: [3, 2, 2] });
      return model({
        inputs: x,
        outputs: layers.batchNormalization({ axis: 1, epsilon: 0.001 }).apply(x) as SymbolicTensor,
      });
    },
    { values: (name) => values[name.split("/").at(-1)!] ?? null },
  );
  const x = floats([2, 3, 2, 2]);
  const [y] = Object.values(await runLowered(writeTfjs(folder.place(), made), { x }));
  Array.from(x.data).forEach((value, i) => {
    const c = Math.floor(i / 4) % 3;
    const expected = ((value - mean[c]!) / Math.sqrt(variance[c]! + 0.001)) * gamma[c]! + beta[c]!;
    // A few roundings of float32.
    expect(y!.data[i]).toBeCloseTo(expected, 5);
  });
});
