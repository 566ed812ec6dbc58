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

/** Class names of a layer that has weights to prune; an Embedding is none, and tfjs has no gradient
 * of Conv3DTranspose. */
const weighted: ReadonlySet<string> = new Set([
  "Bidirectional",
  "Conv1D",
  "Conv2D",
  "Conv2DTranspose",
  "Conv3D",
  "ConvLSTM2D",
  "Dense",
  "DepthwiseConv2D",
  "GRU",
  "LSTM",
  "RNN",
  "SeparableConv2D",
  "SimpleRNN",
  "TimeDistributed",
]);

/** tfjs 4.22 has no gradients of dilated windows. */
const withoutGradient = /dilated/;

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
  it.each(layerCases.filter(({ of, what }) => weighted.has(of) && !withoutGradient.test(what)))(
    "of $of: $what",
    async ({ make, inputs, folder: options }) => {
      const path = writeTfjs(folder.place(), await make(), options);
      const expected = await snipByTfjs(path, inputs);
      const found = await scored(path, { data: arrays(inputs), loss: "half-mean-square" });
      // The backward half of a Bidirectional that does not merge is a second output, which the loss does not see.
      for (const id of Object.keys(found.unscored)) expect(expected[id], id).toBeUndefined();
      expect(Object.keys(found.scores).length).toBeGreaterThan(0);
      for (const [id, scores] of Object.entries(found.scores)) {
        const own = sum(expected[id]!);
        // Both are float32 sums of some thousand products, in orders of their own.
        expect(Math.abs(sum(scores) - own), id).toBeLessThanOrEqual(1e-3 * own);
      }
    },
  );
});
