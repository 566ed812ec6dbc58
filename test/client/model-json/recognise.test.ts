// A TensorFlow.js model is recognised by what is in it, whoever wrote it, and nothing else is taken for one.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { headLength, modelKind } from "../../../client/src/model-json/recognise.js";

const layers = { class_name: "Sequential", config: { name: "s", layers: [] } };
const weightsManifest = [{ paths: ["weights.bin"], weights: [{ name: "a", shape: [1], dtype: "float32" }] }];
const node = [{ name: "x", op: "Placeholder" }];
const signature = { inputs: { x: { name: "x:0", dtype: "DT_FLOAT" } } };

describe("recognises", () => {
  it.each([
    [
      "what tfjs saves",
      "layers",
      { modelTopology: layers, format: "layers-model", convertedBy: null, weightsManifest },
    ],
    ["what tfjs saved before it named the format", "layers", { modelTopology: layers, weightsManifest }],
    [
      "what is converted from Keras",
      "layers",
      { modelTopology: { keras_version: "2.10.0", backend: "tensorflow", model_config: layers }, weightsManifest },
    ],
    ["what says that it is layers", "layers", { format: "layers-model", generatedBy: "keras v2.10.0" }],
    [
      "what is converted from a SavedModel",
      "graph",
      { format: "graph-model", generatedBy: "2.19.0", signature, modelTopology: { node, versions: {} } },
    ],
    ["a graph that does not say so", "graph", { userDefinedMetadata: { signature }, modelTopology: { node } }],
  ] as const)("%s", (_what, kind, model) => {
    expect(modelKind(JSON.stringify(model))).toBe(kind);
    expect(modelKind(JSON.stringify(model, null, 4))).toBe(kind);
  });

  it.each(["@upscalerjs/default-model/models", "@upscalerjs/esrgan-slim/models/x4"])("%s", (folder) => {
    expect(modelKind(readFileSync(resolve("node_modules", folder, "model.json"), "utf8"))).toBe("layers");
  });

  it("models by their beginning, whatever comes after it", () => {
    const text = JSON.stringify({ modelTopology: layers, weightsManifest });
    const begin = text.slice(0, text.indexOf("config"));
    expect(modelKind(begin)).toBe("layers");
    expect(modelKind(`${begin}\u0000 <- broken here`)).toBe("layers");
    expect(modelKind(`${begin}${" ".repeat(10 * headLength)}`)).toBe("layers");
  });
});

describe("leaves in peace", () => {
  const graph = { format: "graph-model", modelTopology: { node } };
  it.each([
    ["package.json", JSON.parse(readFileSync(resolve("package.json"), "utf8"))],
    ["the configuration of a compiler", JSON.parse(readFileSync(resolve("tsconfig.base.json"), "utf8"))],
    ["a model of another kind", { format: "gltf-model", model: { node }, node, class_name: "Chair" }],
    ["a model of a game", { parent: "item/generated", textures: { layer0: "item/apple" } }],
    ["a configuration of Keras without weights", layers],
    ["a topology that is none", { modelTopology: { name: "campus", nodes: node, class_name: 3 } }],
    ["a topology in words", { modelTopology: "class_name" }],
    ["a model within something else", { models: [graph], best: graph }],
    ["a list of models", [graph]],
    ["weights without a network", { weightsManifest }],
    ["a manifest of weights", weightsManifest],
    ["a format in another place", { about: { format: "layers-model" } }],
    ["what only names it", { "layers-model": "format", note: '"format": "layers-model"' }],
    ["a word", "layers-model"],
    ["a number", 3],
  ])("%s", (_what, value) => {
    expect(modelKind(JSON.stringify(value))).toBeNull();
    expect(modelKind(JSON.stringify(value, null, 2))).toBeNull();
  });

  it.each([
    ["an empty file", ""],
    ["a file that is being written", '{"modelTopol'],
    ["words", 'The file format is "layers-model".'],
    ["a key without quotes", '{ format: "layers-model" }'],
    ["brackets without end", "[".repeat(1_000_000)],
    ["objects without end", '{"modelTopology":'.repeat(100_000)],
    ["a string without end", `{"a":"${"x".repeat(1_000_000)}`],
    ["backslashes without end", `{"a":"${"\\".repeat(1_000_001)}"`],
    ["binary", "\u0000\u0001\u0002\u0003"],
  ])("%s", (_what, text) => {
    expect(modelKind(text)).toBeNull();
  });

  it("what would be one beyond the part that is looked at", () => {
    expect(modelKind(JSON.stringify({ note: "x".repeat(headLength), format: "layers-model" }))).toBeNull();
    expect(modelKind(JSON.stringify({ note: "x".repeat(headLength / 2), format: "layers-model" }))).toBe("layers");
  });

  it("keys that objects have by nature", () => {
    const text = '{"__proto__":{"format":"layers-model"},"constructor":{"modelTopology":{"node":[]}},"toString":1}';
    expect(modelKind(text)).toBeNull();
    expect(Object.hasOwn(Object.prototype, "format")).toBe(false);
  });
});
