/**
 * Gradients of layers models: SNIP's scores through the lowered graph, summed over a layer, are those of tfjs' own
 * reverse mode, for every weight that can be pruned in the cases of every layer class.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { DataArray } from "../../server/src/data/array.js";
import { layerCases } from "../cases/tfjs/layers/index.js";
import { ModelFolder } from "../support/model-folder.js";
import { scored } from "../support/sensitivity.js";
import { snipByTfjs, type TensorValues, writeTfjs } from "../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

/** Class names of a layer that has weights to prune; other classes have nothing to differentiate here. */
const weighted: ReadonlySet<string> = new Set([
  "Bidirectional",
  "Conv1D",
  "Conv2D",
  "Conv2DTranspose",
  "Conv3D",
  "Conv3DTranspose",
  "ConvLSTM2D",
  "Dense",
  "DepthwiseConv2D",
  "Embedding",
  "GRU",
  "LSTM",
  "RNN",
  "SeparableConv2D",
  "SimpleRNN",
  "TimeDistributed",
]);

const arrays = (inputs: TensorValues): Record<string, DataArray> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype, data }]) => [
      name,
      dtype === "float32"
        ? { dtype: "float", shape, values: Float32Array.from(data) }
        : { dtype: "int32", shape, values: Int32Array.from(data) },
    ]),
  );

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

describe("SNIP's sums", () => {
  it.each(layerCases.filter(({ of }) => weighted.has(of)))(
    "of $of: $what",
    async ({ make, inputs, folder: options }) => {
      const path = writeTfjs(folder.place(), await make(), options);
      const expected = await snipByTfjs(path, inputs);
      const found = await scored(path, { data: arrays(inputs), loss: "half-mean-square" });
      expect(found.unscored).toEqual({});
      expect(Object.keys(found.scores).length).toBeGreaterThan(0);
      for (const [id, scores] of Object.entries(found.scores)) {
        const own = sum(expected[id]!);
        // Both are float32 sums of some thousand products, in orders of their own.
        expect(Math.abs(sum(scores) - own), id).toBeLessThanOrEqual(1e-3 * own);
      }
    },
  );
});
