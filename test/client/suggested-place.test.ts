// A pruned model goes beside its original; one whose weights keep their files' names into a folder of its own.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { suggestedPlace } from "../../client/src/saving/suggested-place.js";
import { modelName } from "../../server/protocol/model-names.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";

const snip: Recipe = { ...defaultRecipe, criterion: "snip" };
const at = (path: string): string => join("/", ...path.split("/"));
const place = (path: string, dataFiles = 1, opened: readonly string[] = [], recipe = snip): string =>
  suggestedPlace(at(path), recipe, dataFiles, opened.map(at));

describe("an ONNX model goes", () => {
  it.each([
    ["w/net.onnx", 0, "w/net.snip-90.onnx"],
    ["w/net.onnx", 2, "w/net.snip-90/net.snip-90.onnx"],
  ])("%s with %i data files to %s", (path, dataFiles, expected) => {
    expect(place(path, dataFiles)).toBe(at(expected));
  });
});

describe("a TensorFlow.js model goes", () => {
  it.each([
    ["w/mobilenet/model.json", "w/mobilenet.snip-90/model.json"],
    ["w/v1.0/model.json", "w/v1.0.snip-90/model.json"],
    ["w/models/mobilenet.json", "w/models/mobilenet.snip-90/mobilenet.json"],
    // What was saved once: beside it, not into it.
    ["w/mobilenet.2of4/mobilenet.json", "w/mobilenet.2of4.snip-90/mobilenet.json"],
    ["model.json", "model.snip-90/model.json"],
  ])("%s to %s", (path, expected) => {
    expect(place(path)).toBe(at(expected));
    // Where its shards are held by nobody yet, all the same.
    expect(place(path, 0)).toBe(at(expected));
  });

  it("into its own folder where that is what is open: what is saved beside it would be out of sight", () => {
    expect(place("w/mobilenet/model.json", 1, ["w/mobilenet"])).toBe(at("w/mobilenet/mobilenet.snip-90/model.json"));
    expect(place("w/mobilenet/model.json", 1, ["w"])).toBe(at("w/mobilenet.snip-90/model.json"));
  });

  it("where another recipe's does not go, and never onto the original", () => {
    const paths = ["w/mobilenet/model.json", "w/mobilenet.json", "model.json"];
    for (const path of paths) {
      const places = [snip, { ...snip, sparsity: 0.5 }, { ...snip, pattern: { n: 2, m: 4 } }].map((recipe) =>
        place(path, 1, [], recipe),
      );
      expect(new Set([at(path), ...places]).size).toBe(4);
    }
  });

  it("under a name that goes on from the original's", () => {
    for (const path of ["w/mobilenet/model.json", "w/mobilenet.json"]) {
      expect(modelName(place(path).replaceAll("\\", "/"))).toBe(`${modelName(path)}.snip-90`);
    }
  });
});
