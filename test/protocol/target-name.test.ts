// A saved model's name says what was done, and reads well.

import { describe, expect, it } from "vitest";
import { percent, targetName } from "../../server/protocol/target-name.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";

const pattern = { n: 2, m: 4 };

describe("targetName", () => {
  it.each([
    ["model.onnx", {}, "model.magnitude-90.onnx"],
    ["model.onnx", { sparsity: 0.955 }, "model.magnitude-95.5.onnx"],
    ["model.onnx", { sparsity: 0.29 }, "model.magnitude-29.onnx"],
    ["model.onnx", { criterion: "random", sparsity: 0 }, "model.random-0.onnx"],
    ["model.onnx", { scope: "layer" }, "model.magnitude-90-per-layer.onnx"],
    ["resnet50.onnx", { criterion: "snip" }, "resnet50.snip-90.onnx"],
    ["resnet50.onnx", { pattern, sparsity: 0 }, "resnet50.2of4.onnx"],
    ["resnet50.onnx", { pattern, sparsity: 0, criterion: "snip" }, "resnet50.snip-2of4.onnx"],
    ["resnet50.onnx", { pattern, sparsity: 0.7 }, "resnet50.2of4-70.onnx"],
    ["resnet50.onnx", { pattern, sparsity: 0, permute: { seconds: 1 } }, "resnet50.2of4-permuted.onnx"],
    ["model.onnx", { mask: "/m.npz", sparsity: 0 }, "model.masked.onnx"],
    ["model.onnx", { criterion: "imported", scores: "/s.npz" }, "model.imported-90.onnx"],
    ["a.b.ONNX", {}, "a.b.magnitude-90.ONNX"],
    ["model", {}, "model.magnitude-90.onnx"],
    [".onnx", {}, ".onnx.magnitude-90.onnx"],
    ["model.onnx", { criterion: "../x" }, "model._x-90.onnx"],
  ] as const)("%s with %o becomes %s", (original, change, expected) => {
    expect(targetName(original, { ...defaultRecipe, ...change })).toBe(expected);
  });
});

it("differs between recipes that make different models", () => {
  const changes: Partial<Recipe>[] = [
    {},
    { scope: "layer" },
    { rounds: 10 },
    { rounds: 20 },
    { quota: "erk" },
    { quota: "uniform" },
    { eocInit: { sigmaB: 0.2, scheme: "normal", force: false } },
    { eocInit: { sigmaB: 0.2, scheme: "orthogonal", force: false } },
    { stableResnet: "mul" },
    { stableResnet: "fold" },
    { rescale: "paper" },
    { rescale: "measured" },
    { mask: "/m.npz" },
    { pattern },
    { pattern, sparsity: 0 },
    { pattern, permute: { seconds: 1 } },
    { pattern: { n: 4, m: 8 } },
  ];
  const names = changes.map((change) => targetName("model.onnx", { ...defaultRecipe, ...change }));
  expect(new Set(names).size).toBe(changes.length);
  // Letters, digits and signs that every file system takes.
  for (const name of names) expect(name).toMatch(/^model\.[a-z0-9.-]+\.onnx$/);
});

it("states a share in per cent without rounding noise", () => {
  expect([0.9, 0.07, 0.9999, 0.123456, 1 / 3].map(percent)).toEqual(["90", "7", "99.99", "12.3456", "33.3333"]);
});
