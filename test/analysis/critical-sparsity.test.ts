/** Critical sparsity of every fixture, by taking its weights away one after the other until a layer is empty. */
import { afterAll, describe, expect, it } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { maskUnlessNonFinite } from "../../server/src/analysis/analyze.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { makeReport } from "../../server/src/analysis/report.js";
import { rankScores } from "../../server/src/analysis/scoring.js";
import { fixtures } from "../cases/fixtures.js";
import { sortedPlaces } from "../support/arrays.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";

const folder = new ModelFolder();
afterAll(() => folder.dispose());

describe.each(fixtures)("$name", ({ make }) => {
  // Quantised fixtures have ties in magnitude; random scores have none.
  it.each(["magnitude", "random"])("dies by %s where counting says", async (criterion) => {
    const recipe = { ...defaultRecipe, criterion, seed: 3 };
    await withModel(folder.write("model.onnx", make()), async (open) => {
      const ranked = await rankScores(open, recipe, quietContext());
      const report = makeReport(open, ranked, recipe, maskUnlessNonFinite(ranked, recipe), []);
      const order = sortedPlaces(
        ranked.scores,
        ranked.surveys.map((_, l) => l),
      );
      const left = ranked.surveys.map(({ size }) => size);
      const gone: (number | null)[] = left.map(() => null);
      order.forEach(({ layer }, i) => {
        if (--left[layer]! === 0) gone[layer] = (i + 1) / order.length;
      });
      expect(report.layers.map((layer) => layer.criticalSparsity)).toEqual(gone);
      expect(report.criticalSparsity).toBe(Math.min(...gone.map((sparsity) => sparsity!)));
      expect(report.maxSparsity).toBeGreaterThanOrEqual(report.safeSparsity!);
    });
  });
});
