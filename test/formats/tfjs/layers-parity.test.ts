/** Every layer class computes what tfjs computes: lowered, in ONNX Runtime, against the original on tfjs' cpu backend. */
import { afterAll, describe, it } from "vitest";
import { layerCases } from "../../cases/tfjs/layers/index.js";
import { ModelFolder } from "../../support/model-folder.js";
import { expectParity, writeTfjs } from "../../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

describe("layers", () => {
  it.each(layerCases)("$of: $what", async ({ make, inputs, folder: options, parity }) => {
    await expectParity(writeTfjs(folder.place(), await make(), options), inputs, parity);
  });
});
