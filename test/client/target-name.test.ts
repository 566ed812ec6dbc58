// A saved model's name says what was done, and reads well.

import { describe, expect, it } from "vitest";
import { percent, targetName } from "../../client/src/saving/target-name.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";

describe("targetName", () => {
  it.each([
    ["model.onnx", {}, "model.magnitude-90.onnx"],
    ["model.onnx", { sparsity: 0.955 }, "model.magnitude-95.5.onnx"],
    ["model.onnx", { sparsity: 0.29 }, "model.magnitude-29.onnx"],
    ["model.onnx", { criterion: "random", sparsity: 0 }, "model.random-0.onnx"],
    ["model.onnx", { scope: "layer" }, "model.magnitude-90-per-layer.onnx"],
    ["model.onnx", { pattern: { n: 2, m: 4 } }, "model.magnitude-2of4.onnx"],
    ["a.b.ONNX", {}, "a.b.magnitude-90.ONNX"],
    ["model", {}, "model.magnitude-90.onnx"],
    [".onnx", {}, ".onnx.magnitude-90.onnx"],
    ["model.onnx", { criterion: "../x" }, "model._x-90.onnx"],
  ] as const)("%s with %o becomes %s", (original, change, expected) => {
    expect(targetName(original, { ...defaultRecipe, ...change })).toBe(expected);
  });
});

it("states a share in per cent without rounding noise", () => {
  expect([0.9, 0.07, 0.9999, 0.123456, 1 / 3].map(percent)).toEqual(["90", "7", "99.99", "12.3456", "33.3333"]);
});
