/** model.json that is no JSON, or is no model that can be read. */
import { type BadTfjs, layers, layersParts, replaced, set, text } from "./sound-parts.js";

export const badJson: readonly BadTfjs[] = [
  { name: "nothing", files: () => text(""), code: "malformed-model", words: /is no JSON/ },
  {
    name: "half of it",
    files: () => text('{"modelTopology": {"node": ['),
    code: "malformed-model",
    words: /ends too early/,
  },
  { name: "HTML", files: () => text("<!doctype html>"), code: "malformed-model", words: /is no JSON \(line 1/ },
  {
    name: "two values",
    files: () => text("{}{}"),
    code: "malformed-model",
    words: /is no JSON \(line 1, character 3\)/,
  },
  { name: "a comment", files: () => text("// x\n{}"), code: "malformed-model", words: /is no JSON/ },
  { name: "NaN", files: () => replaced('"units":3', '"units":NaN'), code: "malformed-model", words: /is no JSON/ },
  {
    name: "a number that is infinite",
    files: () => replaced('"units":3', '"units":1e999'),
    code: "malformed-model",
    words: /holds a number that is not finite/,
  },
  {
    name: "bytes that are no text",
    files: () => text(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)),
    code: "malformed-model",
    words: /no text in UTF-8/,
  },
  {
    name: "UTF-16",
    files: () => text(Buffer.from("\ufeff{}", "utf16le")),
    code: "malformed-model",
    words: /no text in UTF-8/,
  },
  {
    name: "a million brackets",
    files: () => text("[".repeat(1e6)),
    code: "malformed-model",
    words: /nested more than 200 deep/,
  },
  {
    name: "many short values",
    files: () => text(`[${"0,".repeat(4_200_000)}0]`),
    code: "malformed-model",
    words: /holds more than 4194304 values/,
  },
  ...["__proto__", "constructor", "prototype"].map((key) => ({
    name: `an entry ${key} in a layer`,
    files: () => replaced('"units":3', `"units":3,"${key}":{"polluted":true}`),
    code: "malformed-model" as const,
    words: new RegExp(`has an entry "${key}", which no model has. It may be an attack`),
  })),
  {
    name: "an entry __proto__ in escapes, far from the layers",
    files: () => replaced('"format"', '"userDefinedMetadata":{"a":[{"__\\u0070roto__":1}]},"format"'),
    code: "malformed-model",
    words: /has an entry "__proto__"/,
  },
  {
    name: "an entry twice",
    files: () => replaced('"format"', '"weightsManifest":[],"format"'),
    code: "malformed-model",
    words: /has two entries "weightsManifest" in one object/,
  },
];

export const foreignJson: readonly BadTfjs[] = [
  {
    name: "a number",
    files: () => text("5"),
    code: "unsupported-format",
    words: /no TensorFlow.js model: it holds no object/,
  },
  { name: "null", files: () => text("null"), code: "unsupported-format", words: /it holds no object/ },
  {
    name: "another model.json",
    files: () => text('{"name":"x"}'),
    code: "unsupported-format",
    words: /it has no modelTopology/,
  },
  {
    name: "a manifest alone",
    files: () => text(JSON.stringify([layersParts().group])),
    code: "unsupported-format",
    words: /weights only\).*tensorflowjs_model\.pb/,
  },
  {
    name: "weights alone",
    files: () => layers(set("json", { modelTopology: undefined })),
    code: "unsupported-format",
    words: /weights only\). Open the model that they belong to/,
  },
  {
    name: "Keras' to_json",
    files: () => text(JSON.stringify(layersParts().topology)),
    code: "unsupported-format",
    words: /architecture of a Keras model \(to_json\) without its weights/,
  },
  {
    name: "no manifest",
    files: () => layers(set("json", { weightsManifest: undefined })),
    code: "malformed-model",
    words: /has a topology and no weightsManifest/,
  },
  {
    name: "a manifest that is an object",
    files: () => layers(set("json", { weightsManifest: {} })),
    code: "malformed-model",
    words: /has a weightsManifest that is no list/,
  },
  {
    name: "a topology of something else",
    files: () => layers(set("json", { modelTopology: { nodes: [] } })),
    code: "unsupported-format",
    words: /neither nodes nor layers/,
  },
  {
    name: "a topology that is a text",
    files: () => layers(set("json", { modelTopology: "toString" })),
    code: "unsupported-format",
    words: /its modelTopology is no object/,
  },
  {
    name: "both kinds at once",
    files: () => layers(set("topology", { node: [] })),
    code: "malformed-model",
    words: /has both nodes and layers/,
  },
];
