/**
 * Kept counts and critical sparsities of real models against an independent computation: python3-onnx reads the files,
 * numpy sorts all weights (kept_counts.py beside this file made the numbers). Exactly equal, no tolerance.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { quietContext } from "../support/job-context.js";
import oracle from "./kept-counts.json";

const root = join(import.meta.dirname, "..", "..", "node_modules");

describe.each(Object.entries(oracle.models))("%s", (model, expected) => {
  const path = join(root, model);

  it("is the file that the numbers were made from", () => {
    expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(expected.sha256);
  });

  it.each(Object.entries(expected.kept))("keeps the same weights per layer at sparsity %s", async (sparsity, kept) => {
    const recipe = { ...defaultRecipe, seed: oracle.seed, sparsity: Number(sparsity) };
    const { report } = await analyze({ uri: path, path, recipe }, quietContext());
    const byId = new Map(report.layers.map((layer) => [layer.id, layer]));
    expect([...byId.keys()].sort()).toEqual([...expected.layers].sort());
    expected.layers.forEach((id, l) => {
      expect(byId.get(id)!.parameters, id).toBe(expected.sizes[l]);
      expect(byId.get(id)!.kept, id).toBe(kept[l]);
      expect(byId.get(id)!.criticalSparsity, id).toBe(expected.lastRanks[l]! / report.model.prunable);
    });
  });
});
