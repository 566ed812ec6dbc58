// What the lens says of a model's weights is what its manifest says, or nothing.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { weightCounts } from "../../../client/src/model-json/weight-counts.js";

interface Group {
  readonly weights: readonly { readonly shape: readonly number[] }[];
}
const modelTopology = { class_name: "Sequential", config: {} };
const written = (weightsManifest: unknown, more: object = {}): string =>
  JSON.stringify({ modelTopology, weightsManifest, ...more });
const weight = (shape: unknown, more: object = {}): object => ({ name: "w", dtype: "float32", shape, ...more });
const counts = (weights: number, parameters: number, quantised: readonly string[] = []): object => ({
  weights,
  parameters,
  quantised,
});

describe("counts", () => {
  it.each(["@upscalerjs/default-model/models", "@upscalerjs/esrgan-slim/models/x8"])("%s", (folder) => {
    const text = readFileSync(resolve("node_modules", folder, "model.json"), "utf8");
    const all = (JSON.parse(text) as { weightsManifest: Group[] }).weightsManifest.flatMap(({ weights }) => weights);
    const parameters = all.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(weightCounts(text)).toEqual(counts(all.length, parameters));
    expect(weightCounts(JSON.stringify(JSON.parse(text), null, 2))).toEqual(counts(all.length, parameters));
  });

  it("all groups, scalars, empty weights and quantised ones", () => {
    const manifest = [
      { paths: ["a.bin"], weights: [weight([2, 3]), weight([])] },
      { paths: [], weights: [] },
      {
        weights: [
          { quantization: { dtype: "uint8", scale: 0.1, min: -1 }, shape: [4], name: "q" },
          weight([5], { quantization: { dtype: "float16" } }),
          weight([0, 7], { quantization: { dtype: "uint8", original_dtype: "float32" } }),
        ],
        paths: ["b.bin"],
      },
    ];
    expect(weightCounts(written(manifest))).toEqual(counts(5, 6 + 1 + 4 + 5, ["float16", "uint8"]));
  });

  it("the model's own manifest, whatever stands in its metadata", () => {
    const manifest = [{ paths: [], weights: [weight([3])] }];
    const text = written(manifest, { userDefinedMetadata: { note: 'see "weightsManifest": [' }, trainingConfig: {} });
    expect(weightCounts(text)).toEqual(counts(1, 3));
  });
});

describe("says nothing", () => {
  it.each([
    ["where there is no manifest", JSON.stringify({ modelTopology })],
    ["where the word is no key", JSON.stringify({ modelTopology, last: "weightsManifest" })],
    ["of a manifest that is none", written({ weights: [weight([1])] })],
    ["of a manifest without weights", written([])],
    ["of shapes that are none", written([{ weights: [weight(["2", "3"])] }])],
    ["of shapes within shapes", written([{ weights: [weight([[2]])] }])],
    ["of negative sizes", written([{ weights: [weight([-5])] }])],
    ["of sizes that no number holds", written([{ weights: [weight([1e200, 1e200])] }])],
    ["of a file that ends in the middle", written([{ weights: [weight([1]), weight([2])] }]).slice(0, -30)],
    ["of no JSON", '"weightsManifest": ?'],
  ])("%s", (_what, text) => {
    expect(weightCounts(text)).toBeNull();
  });

  it("of icons that a type's name would draw", () => {
    const text = written([{ weights: [weight([1], { quantization: { dtype: "$(flame)" } })] }]);
    expect(weightCounts(text)).toEqual(counts(1, 1));
  });
});
