/** Real TensorFlow.js models compute, lowered, in ONNX Runtime, what they compute in TensorFlow.js. */
import { afterAll, describe, expect, it } from "vitest";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { ModelFolder } from "../../support/model-folder.js";
import { expectParity, floats, upscalers, writeNsfwMobileNet } from "../../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

describe("nsfwjs' MobileNetV2, quantised to uint8", () => {
  const path = writeNsfwMobileNet(folder.place());

  it("is lowered whole, with every kernel to prune", async () => {
    await withModel(path, async ({ model, search }) => {
      expect(model.notes).toEqual([]);
      // 52 convolutions, 17 of them depthwise, and the classifier's three Dense layers.
      expect(search.weights.length).toBe(55);
      expect(search.unprunable).toEqual([]);
      await Promise.resolve();
    });
  });

  it("computes the same", async () => {
    // The cpu backend takes five seconds for one image.
    await expectParity(path, { input_1: floats([1, 224, 224, 3]) }, { reference: "wasm" });
  });
});

describe.each(Object.entries(upscalers))("@upscalerjs/%s", (_, path) => {
  it("computes the same, whatever the image's size", async () => {
    await expectParity(path, { LR: floats([1, 12, 16, 3]) });
  });
});
