/**
 * TensorFlow.js models that are broken or hostile: what is wrong with them, and the words that people must read. Each is
 * a sound model with one thing changed: a layers model of a Dense layer `d` (4 → 3, kernel and bias, 60 bytes in `w.bin`),
 * or a graph model of a MatMul `y` with the Const `w` (48 bytes).
 */
import type { ErrorCode } from "../../server/protocol/errors.js";

/** A folder or a pipe where a file should be, or a link to a place. */
export interface NoFile {
  readonly kind: "folder" | "link" | "pipe";
  readonly to?: string;
}

/** Files of a model by their names; `model.json` is opened. */
export type BadFiles = Readonly<Record<string, string | Uint8Array | NoFile>>;

export interface BadTfjs {
  readonly name: string;
  readonly files: () => BadFiles;
  readonly code: ErrorCode;
  readonly words: RegExp;
}

interface Layer {
  readonly class_name: string;
  readonly name: string;
  readonly config: { readonly name: string };
  readonly inbound_nodes: unknown;
}

const layer = (className: string, name: string, config: object, inbound: unknown = []): Layer => ({
  class_name: className,
  name,
  config: { name, ...config },
  inbound_nodes: inbound,
});

/** The call of a layer on the first output of others. */
export const on = (...names: readonly string[]): unknown => [names.map((name) => [name, 0, 0, {}])];

/** The parts of a model.json, to be changed by Object.assign; what becomes undefined is not there. */
export interface Parts {
  readonly json: object;
  readonly topology: object;
  /** The manifest's group. */
  readonly group: object;
  readonly weights: object[];
  /** The group's first weight. */
  readonly weight: object;
}

export interface LayersParts extends Parts {
  /** The model's configuration. */
  readonly config: object;
  readonly layers: object[];
  /** The input layer, and its configuration. */
  readonly x: Layer;
  /** The Dense layer. */
  readonly d: Layer;
}

/** A layers model in JSON. */
export function layersParts(): LayersParts {
  const x = layer("InputLayer", "x", { batch_input_shape: [null, 4], dtype: "float32" });
  const d = layer("Dense", "d", { units: 3, activation: "linear" }, on("x"));
  const layers: object[] = [x, d];
  const config = { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: [["d", 0, 0]] };
  const topology = { class_name: "Functional", config };
  const weight = { name: "d/kernel", shape: [4, 3], dtype: "float32" };
  const weights: object[] = [weight, { name: "d/bias", shape: [3], dtype: "float32" }];
  const group = { paths: ["w.bin"], weights };
  const json = { format: "layers-model", modelTopology: topology, weightsManifest: [group] };
  return { json, topology, config, layers, x, d, group, weights, weight };
}

export interface GraphParts extends Parts {
  readonly nodes: object[];
  /** The MatMul. */
  readonly y: object;
  readonly signature: object;
}

/** A graph model in JSON. */
export function graphParts(): GraphParts {
  const size = (...dims: number[]): object => ({ dim: dims.map((dim) => ({ size: String(dim) })) });
  const float = { type: "DT_FLOAT" };
  const y = { name: "y", op: "MatMul", input: ["x", "w"], attr: { T: float } };
  const nodes: object[] = [
    { name: "x", op: "Placeholder", attr: { dtype: float, shape: { shape: size(-1, 4) } } },
    { name: "w", op: "Const", attr: { dtype: float, value: { tensor: { tensorShape: size(4, 3) } } } },
    y,
  ];
  const topology = { node: nodes, versions: {} };
  const signature = { inputs: { x: { name: "x:0" } }, outputs: { y: { name: "y:0", dtype: "DT_FLOAT" } } };
  const weight = { name: "w", shape: [4, 3], dtype: "float32" };
  const weights: object[] = [weight];
  const group = { paths: ["w.bin"], weights };
  const json = { format: "graph-model", signature, modelTopology: topology, weightsManifest: [group] };
  return { json, topology, nodes, y, signature, group, weights, weight };
}

const files = ({ json }: Parts, bytes: number, more: BadFiles): BadFiles => ({
  "model.json": JSON.stringify(json),
  "w.bin": new Uint8Array(bytes),
  ...more,
});

/** The layers model with its model.json changed, and its shard of so many bytes. */
export function layers(change: (parts: LayersParts) => void, more: BadFiles = {}, bytes = 60): BadFiles {
  const parts = layersParts();
  change(parts);
  return files(parts, bytes, more);
}

/** The graph model with its model.json changed. */
export function graph(change: (parts: GraphParts) => void, bytes = 48): BadFiles {
  const parts = graphParts();
  change(parts);
  return files(parts, bytes, {});
}

const set =
  <K extends PropertyKey>(part: K, values: object) =>
  (parts: Readonly<Record<K, object>>): void => {
    Object.assign(parts[part], values);
  };
/** The layers model with fields of its manifest's group changed. */
const group = (values: object, more: BadFiles = {}, bytes = 60): BadFiles => layers(set("group", values), more, bytes);
/** The layers model with fields of its kernel's entry changed. */
const kernel = (values: object): BadFiles => layers(set("weight", values));
/** The graph model with fields of its weight's entry changed: it wants no shape of it. */
const constant = (values: object): BadFiles => graph(set("weight", values));
/** The layers model with fields of the Dense layer's configuration changed. */
const dense = (values: object): BadFiles => layers(({ d }) => Object.assign(d.config, values));

const text = (content: string | Uint8Array): BadFiles => ({ "model.json": content, "w.bin": new Uint8Array(60) });
/** The layers model as text with a part replaced. */
const replaced = (from: string, to: string): BadFiles => {
  const json = JSON.stringify(layersParts().json);
  if (!json.includes(from)) throw new Error(`${from} is not in model.json`);
  return text(json.replace(from, to));
};
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

const urls = [
  "https://example.com/w.bin",
  "data:application/octet-stream;base64,AA==",
  "file:///etc/passwd",
  "indexeddb://m",
];

export const badShards: readonly BadTfjs[] = [
  {
    name: "a shard that is missing",
    files: () => group({ paths: ["ghost.bin"] }),
    code: "missing-data",
    words: /"ghost.bin" of group 0 of the weights manifest is not beside the model/,
  },
  ...["../w.bin", "sub/../../w.bin", "..\\w.bin", "/etc/passwd", "C:\\w.bin", "con", "w.bin\0", "", "w.bin "].map(
    (location) => ({
      name: `the path ${JSON.stringify(location)}`,
      files: () => group({ paths: [location] }),
      code: "unsafe-path" as const,
      words: /Group 0 of the weights manifest keeps its data in ".*", a path that/,
    }),
  ),
  ...urls.map((location) => ({
    name: `the URL ${location}`,
    files: () => group({ paths: [location] }),
    code: "unsafe-path" as const,
    words: /which is no file beside the model. Nothing is fetched/,
  })),
  {
    name: "a path that a browser would decode",
    files: () => group({ paths: ["%2e%2e/w.bin"] }),
    code: "missing-data",
    words: /is not beside the model/,
  },
  {
    name: "a link out of the folder",
    files: () => group({ paths: ["out.bin"] }, { "out.bin": { kind: "link", to: "/dev/zero" } }),
    code: "unsafe-path",
    words: /is a link out of the model's folder/,
  },
  {
    name: "a folder",
    files: () => group({ paths: ["part"] }, { part: { kind: "folder" } }),
    code: "malformed-model",
    words: /is not a regular file/,
  },
  {
    name: "a pipe",
    files: () => group({ paths: ["part"] }, { part: { kind: "pipe" } }),
    code: "malformed-model",
    words: /is not a regular file/,
  },
  {
    name: "a shard twice",
    files: () => group({ paths: ["w.bin", "./w.bin"] }, {}, 30),
    code: "malformed-model",
    words: /names "\.\/w\.bin", a file that the model has already/,
  },
  {
    name: "a shard under two names",
    files: () => group({ paths: ["w.bin", "v.bin"] }, { "v.bin": { kind: "link", to: "w.bin" } }, 30),
    code: "malformed-model",
    words: /names "v\.bin", a file that the model has already/,
  },
  {
    name: "a shard in two groups",
    files: () =>
      layers(
        ({ json, weights }) =>
          Object.assign(json, { weightsManifest: weights.map((one) => ({ paths: ["w.bin"], weights: [one] })) }),
        {},
        48,
      ),
    code: "malformed-model",
    words: /Group 1 of the weights manifest in .* names "w\.bin", a file that the model has already/,
  },
  {
    name: "model.json as a shard",
    files: () => group({ paths: ["w.bin", "model.json"] }),
    code: "malformed-model",
    words: /names "model\.json", a file that the model has already/,
  },
  {
    name: "a shard that is cut off",
    files: () => layers(() => undefined, {}, 59),
    code: "malformed-model",
    words: /has 59 bytes in its shards, and "d\/bias" would end at byte 60: a shard is cut off/,
  },
  {
    name: "a shard that is too long",
    files: () => layers(() => undefined, {}, 64),
    code: "malformed-model",
    words: /has 64 bytes in its shards, but its weights take 60/,
  },
  {
    name: "an empty shard",
    files: () => layers(() => undefined, {}, 0),
    code: "malformed-model",
    words: /has 0 bytes/,
  },
  ...(
    [
      ["no object", set("json", { weightsManifest: [5] }), /Group 0 of the weights manifest in .* is no object/],
      ["no paths", set("group", { paths: undefined }), /has no list of paths/],
      ["paths that are no texts", set("group", { paths: [null] }), /has no list of paths/],
      ["no weights", set("group", { weights: undefined }), /has no list of weights/],
      ["a weight that is null", set("group", { weights: [null] }), /a weight without a name/],
      ["weights without entries", set("group", { weights: [] }), /but its weights take 0/],
    ] as const
  ).map(([name, change, words]) => ({
    name: `a group with ${name}`,
    files: () => layers(change),
    code: "malformed-model" as const,
    words,
  })),
];

const shapes: readonly unknown[] = [null, 5, "4,3", [-1, 3], [1.5], ["4", "3"], [4, null], [1e300], Array(65).fill(1)];
const scales: readonly object[] = [
  { dtype: "uint8" },
  { dtype: "uint8", scale: 1 },
  { dtype: "uint8", scale: "0.1", min: 0 },
  { dtype: "uint16", scale: null, min: 0 },
];

export const badWeights: readonly BadTfjs[] = [
  ...shapes.map((shape) => ({
    name: `the shape ${JSON.stringify(shape)}`,
    files: () => kernel({ shape }),
    code: "malformed-model" as const,
    words: /gives "d\/kernel" the shape .*, which is none/,
  })),
  ...[[2 ** 31, 2 ** 31], [2 ** 53 - 1, 2 ** 53 - 1], Array(40).fill(2 ** 50)].map((shape) => ({
    name: `the shape ${JSON.stringify(shape).slice(0, 40)}`,
    files: () => kernel({ shape }),
    code: "malformed-model" as const,
    words: /which no file holds/,
  })),
  {
    name: "a shape of terabytes",
    files: () => kernel({ shape: [2 ** 20, 2 ** 20] }),
    code: "malformed-model",
    words: /would end at byte 4398046511104/,
  },
  ...[undefined, "float64", "toString", "__proto__", 32, null].map((dtype) => ({
    name: `the dtype ${JSON.stringify(dtype)}`,
    files: () => kernel({ dtype }),
    code: "malformed-model" as const,
    words: /gives "d\/kernel" the unknown dtype/,
  })),
  {
    name: "a weight twice",
    files: () => layers(({ weights }) => Object.assign(weights[1]!, { name: "d/kernel" })),
    code: "malformed-model",
    words: /names "d\/kernel" twice/,
  },
  {
    name: "a name of a megabyte",
    files: () => kernel({ name: "n".repeat(1e6) }),
    code: "malformed-model",
    words: /a weight whose name has 1000000 characters/,
  },
  ...["int8", "constructor", 8, null].map((dtype) => ({
    name: `codes of ${JSON.stringify(dtype)}`,
    files: () => kernel({ quantization: { dtype, scale: 1, min: 0 } }),
    code: "malformed-model" as const,
    words: /quantises "d\/kernel" to the unknown dtype/,
  })),
  ...scales.map((quantization) => ({
    name: `the quantisation ${JSON.stringify(quantization)}`,
    files: () => kernel({ quantization }),
    code: "malformed-model" as const,
    words: /quantises "d\/kernel" without the numbers of its scale and min/,
  })),
  ...[
    [1e308, 0],
    [1e308, 1e308],
    [-1e38, -3e38],
    [0, 1e39],
  ].map(([scale, min]) => ({
    name: `the scale ${scale} and min ${min}`,
    files: () => kernel({ quantization: { dtype: "uint8", scale, min } }),
    code: "malformed-model" as const,
    words: /quantises "d\/kernel" by scale .* and min .*, which float has no numbers for/,
  })),
  {
    name: "integers as halves",
    files: () => constant({ dtype: "int32", quantization: { dtype: "float16" } }),
    code: "malformed-model",
    words: /quantises "w" to "float16", which its int32 elements cannot be/,
  },
  {
    name: "integers that are too large",
    files: () => constant({ dtype: "int32", quantization: { dtype: "uint8", scale: 1e9, min: 0 } }),
    code: "malformed-model",
    words: /which int32 has no numbers for/,
  },
  {
    name: "strings that are too few",
    files: () => constant({ dtype: "string", shape: [2 ** 40] }),
    code: "malformed-model",
    words: /has fewer than the 1099511627776 strings of "w"/,
  },
  {
    name: "a weight that a layer misses",
    files: () => layers(({ weights }) => Object.assign(weights[1]!, { name: "d/other" })),
    code: "malformed-model",
    words: /has no weight "d\/bias" in its manifest/,
  },
  {
    name: "a weight of another shape than its layer's",
    files: () => kernel({ shape: [3, 4] }),
    code: "malformed-model",
    words: /"d\/kernel" has the shape \[3, 4\], but its layer wants \[4, 3\]/,
  },
  {
    name: "a weight of another type than its layer's",
    files: () => kernel({ dtype: "int32" }),
    code: "malformed-model",
    words: /"d\/kernel" has int32 elements, but its layer wants float/,
  },
];

/** The layers model with a chain of layers in place of its Dense layer, in the order that `order` gives them. */
const chain = (length: number, order: (layers: object[]) => object[] = (inner) => inner): BadFiles =>
  layers((parts) => {
    const name = (i: number): string => (i < 0 ? "x" : `r${i}`);
    const inner = Array.from({ length }, (_, i) => layer("ReLU", name(i), {}, on(name(i - 1))));
    const ends = { output_layers: [[name(length - 1), 0, 0]] };
    Object.assign(parts.config, { layers: [parts.x, ...order(inner)], ...ends });
  });

/** Names that every object answers to. */
const inherited = ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"];

const sequence = (inner: object[], name: string): object => ({
  class_name: "Sequential",
  config: { name, layers: inner },
});

export const badLayers: readonly BadTfjs[] = [
  ...["toString", "constructor", "hasOwnProperty", "to_string", "PruneScopePlaceholder"].map((name) => ({
    name: `the class ${name}`,
    files: () => layers(set("d", { class_name: name })),
    code: "malformed-model" as const,
    words: /has a layer of class or activation ".*", which there is not. It may be an attack/,
  })),
  ...["toString", "to_string", "constructor", "valueOf"].map((name) => ({
    name: `the activation ${name}`,
    files: () => dense({ activation: name }),
    code: "malformed-model" as const,
    words: /has a layer of class or activation ".*", which there is not. It may be an attack/,
  })),
  ...["Zeros", "L1L2", "Adam", "relu", "MaxNorm"].map((name) => ({
    name: `${name}, which is no layer, as a layer`,
    files: () => layers(set("d", { class_name: name })),
    code: "unsupported-op" as const,
    words: /Layer "d" in .* is of class/,
  })),
  {
    name: "a class under two names",
    files: () => layers(set("d", { className: "Lambda" })),
    code: "malformed-model",
    words: /has the entry "className" twice/,
  },
  ...[null, 5, ["Dense"], {}].map((name) => ({
    name: `the class ${JSON.stringify(name)}`,
    files: () => layers(set("d", { class_name: name })),
    code: "malformed-model" as const,
    words: /has no class_name/,
  })),
  {
    name: "a layer as a model",
    files: () => layers(({ json, d }) => Object.assign(json, { modelTopology: d })),
    code: "malformed-model",
    words: /The model in .* is of class "Dense", which is no model/,
  },
  {
    name: "a regulariser of a class that is none",
    files: () => dense({ extra: { class_name: "toString", config: {} } }),
    code: "unsupported-op",
    words: /Layer "d" in .* is of class "toString"/,
  },
  ...inherited
    .filter((name) => !["__proto__", "constructor"].includes(name))
    .map((name) => ({
      name: `a layer called ${name}`,
      files: () =>
        layers(({ config, d }) => {
          Object.assign(d, { name });
          Object.assign(d.config, { name });
          Object.assign(config, { output_layers: [[name, 0, 0]] });
        }),
      code: "malformed-model" as const,
      words: /has a name that every object of JavaScript has an entry of/,
    })),
  ...[undefined, "", null, 5, {}].map((name) => ({
    name: `a layer called ${JSON.stringify(name)}`,
    files: () => dense({ name }),
    code: "malformed-model" as const,
    words: /Layer 1 of the model in .* has no name/,
  })),
  {
    name: "a name of a megabyte",
    files: () => dense({ name: "n".repeat(1e6) }),
    code: "malformed-model",
    words: /has a name of 1000000 characters/,
  },
  {
    name: "a text of a megabyte",
    files: () => dense({ note: "n".repeat(1e6) }),
    code: "malformed-model",
    words: /has a text of 1000000 characters/,
  },
  {
    name: "a layer under two names",
    files: () => layers(set("d", { name: "e" })),
    code: "malformed-model",
    words: /Layer "d" in .* is called "e" where its config has "d"/,
  },
  {
    name: "two layers of one name",
    files: () => layers((parts) => parts.layers.push(layer("ReLU", "d", {}, on("x")))),
    code: "malformed-model",
    words: /has two layers called "d"/,
  },
  {
    name: "no layers",
    files: () => layers(set("config", { layers: [] })),
    code: "malformed-model",
    words: /has no layers/,
  },
  {
    name: "a layer that is a text",
    files: () => layers(set("config", { layers: ["Dense"] })),
    code: "malformed-model",
    words: /Layer 0 of the model in .* is no object/,
  },
  {
    name: "a layer without a config",
    files: () => layers(set("d", { config: undefined })),
    code: "malformed-model",
    words: /has no config/,
  },
  ...[[-4], ["4"], "4", [1e300], { a: 1 }].map((shape) => ({
    name: `the input shape ${JSON.stringify(shape)}`,
    files: () => layers(({ x }) => Object.assign(x.config, { batch_input_shape: shape })),
    code: "malformed-model" as const,
    words: /Layer "x" in .* has the shape .*, which is none/,
  })),
  ...[-1, "3", null, 1.5, {}].map((units) => ({
    name: `${JSON.stringify(units)} units`,
    files: () => dense({ units }),
    code: "malformed-model" as const,
    words: /layer "d"|"d\/kernel"/,
  })),
  ...[2 ** 31, 1e12, 2 ** 53].map((units) => ({
    name: `${units} units, of which nothing is allocated`,
    files: () => dense({ units }),
    code: "malformed-model" as const,
    words: /"d\/kernel" has the shape \[4, 3\], but its layer wants \[4, \d+\]/,
  })),
  {
    name: "a layer whose inputs do not fit each other",
    files: () =>
      layers((parts) => {
        parts.layers.push(layer("Add", "a", {}, on("x", "d")));
        Object.assign(parts.config, { output_layers: [["a", 0, 0]] });
      }),
    code: "malformed-model",
    words: /TensorFlow.js cannot rebuild layer "a" of .*: Operands could not be broadcast/,
  },
  {
    name: "a layer that cannot be made",
    files: () =>
      layers((parts) => {
        parts.layers.push(layer("Conv2D", "c", { filters: 2 }, on("d")));
        Object.assign(parts.config, { output_layers: [["c", 0, 0]] });
      }),
    code: "malformed-model",
    words: /TensorFlow.js cannot rebuild layer "c" of .*kernelSize/,
  },
  ...(
    [
      ["null", null, /has no inbound_nodes for its layer "d"/],
      ["a text", "x", /calls its layer "d" on "x", which is no list of outputs/],
      ["a node in place of its calls", ["x", 0, 0, {}], /calls its layer "d" on "x"/],
      ["a layer that is not there", on("ghost"), /of "d" that it reads "ghost", which is none of its layers/],
      ["toString", on("toString"), /reads "toString", which is none of its layers/],
      ["an output −1", [[["x", 0, -1]]], /reads \["x",0,-1\], which is no output of a layer/],
      ["call 1e300", [[["x", 1e300, 0]]], /which is no output of a layer/],
      ["a call that is not made", [[["x", 9_999_999, 0]]], /"d" that needs its own result, or one that no layer gives/],
      ["itself", on("d"), /has a layer "d" that needs its own result/],
      ["Keras 3's words", [{ args: [], kwargs: {} }], /as Keras 3 writes it.*Save the model with Keras 2/],
    ] as const
  ).map(([name, inbound, words]) => ({
    name: `a layer called on ${name}`,
    files: () => layers(set("d", { inbound_nodes: inbound })),
    code: "malformed-model" as const,
    words,
  })),
  {
    name: "two layers that read each other",
    files: () =>
      layers((parts) => {
        Object.assign(parts.d, { inbound_nodes: on("e") });
        parts.layers.push(layer("ReLU", "e", {}, on("d")));
      }),
    code: "malformed-model",
    words: /has a layer "d" that needs its own result/,
  },
  ...(
    [
      ["output_layers", undefined, /has no outputs/],
      ["input_layers", [], /has no inputs/],
      ["output_layers", [["ghost", 0, 0]], /says of its outputs that it reads "ghost"/],
      ["output_layers", [["d", 4, 0]], /call 4 of "d", which is not made/],
      ["output_layers", [["d", 0, 3]], /TensorFlow.js cannot rebuild|reads output/],
      ["input_layers", [["d", 0, 0]], /TensorFlow.js cannot rebuild the layers of .*: Input layers/],
    ] as const
  ).map(([field, ends, words]) => ({
    name: `the ${field} ${JSON.stringify(ends)}`,
    files: () => layers(set("config", { [field]: ends })),
    code: "malformed-model" as const,
    words,
  })),
  {
    name: "layers in the reverse of their order",
    files: () => chain(2400, (inner) => inner.reverse()),
    code: "malformed-model",
    words: /lists its layers in an order that takes too long to follow/,
  },
  {
    name: "a chain of layers that exhausts the stack of TensorFlow.js",
    files: () => chain(7000),
    code: "malformed-model",
    words: /its layers form a chain that is too long/,
  },
  {
    name: "more layers than there can be",
    files: () =>
      layers(({ json }) => {
        const many = Array.from({ length: 25_000 }, (_, i) => layer("ReLU", `r${i}`, {}));
        Object.assign(json, { modelTopology: sequence(many, "m") });
      }),
    code: "malformed-model",
    words: /calls more than 20000 layers/,
  },
  {
    name: "models in each other, each called twice",
    files: () =>
      layers(({ json }) => {
        // 2^20 calls of the innermost layer, in 20 models.
        let inner = layer("ReLU", "r", {});
        for (let i = 0; i < 20; i++) {
          const { name } = inner.config;
          const x = `x${i}`;
          // A model has been called once when it is made.
          const first = i === 0 ? 0 : 1;
          const called = { ...inner, inbound_nodes: [[[x, 0, 0]], [[name, first, 0]]] };
          const input = layer("InputLayer", x, { batch_input_shape: [null, 4] });
          const ends = { input_layers: [[x, 0, 0]], output_layers: [[name, first + 1, 0]] };
          inner = layer("Functional", `m${i}`, { layers: [input, called], ...ends });
        }
        Object.assign(json, { modelTopology: { class_name: "Functional", config: inner.config } });
      }),
    code: "malformed-model",
    words: /calls more than 20000 layers, those of nested models counted at every call/,
  },
  {
    name: "what is bidirectional in what is bidirectional",
    files: () =>
      layers((parts) => {
        let inner = layer("LSTM", "l", { units: 2 });
        for (let i = 0; i < 40; i++) inner = layer("Bidirectional", `b${i}`, { layer: inner }, on("d"));
        parts.layers.push(inner);
      }),
    code: "malformed-model",
    words: /calls more than 20000 layers/,
  },
];

/** The graph model with nodes between its MatMul and its output, or beside them. */
const withNodes = (output: string, ...more: readonly object[]): BadFiles =>
  graph((parts) => {
    parts.nodes.push(...more);
    Object.assign(parts.signature, { outputs: { y: { name: `${output}:0` } } });
  });
const named = (name: string, op: string, input: unknown = [], attr: unknown = {}): object => ({
  name,
  op,
  input,
  attr,
});

export const badGraphs: readonly BadTfjs[] = [
  ...(
    [
      ["null", null, /lists a node without a name, operator or inputs/],
      ["without an operator", { name: "a" }, /lists a node without a name, operator or inputs/],
      ["whose inputs are numbers", named("a", "Relu", [1]), /lists a node without a name, operator or inputs/],
      ["that is there twice", named("y", "Relu", ["x"]), /has two nodes called "y"/],
      ["of a name of a megabyte", named("n".repeat(1e6), "Relu", ["x"]), /a node whose name has 1000000 characters/],
    ] as const
  ).map(([name, one, words]) => ({
    name: `a node ${name}`,
    files: () => graph((parts) => parts.nodes.push(one as object)),
    code: "malformed-model" as const,
    words,
  })),
  ...(
    [
      ["a node that is not there", ["ghost"], /has no node "ghost", which others read/],
      ["toString", ["toString"], /has no node "toString", which others read/],
      ["itself", ["r"], /Node "r" of .* needs its own result/],
      ["what reads it", ["s"], /needs its own result/],
      ["output 9999999", ["y:9999999"], /reads output 9999999 of "y", which no operator has/],
      ["an output that is not there", ["y:3"], /Node "r" of .* reads output 3 of "y", which has none/],
      ["nothing", [], /Node "r" \(Relu\) of .* cannot be read: its inputs, attributes and shapes contradict/],
    ] as const
  ).map(([name, input, words]) => ({
    name: `a node that reads ${name}`,
    files: () => withNodes("r", named("r", "Relu", input), named("s", "Relu", ["r"])),
    code: "malformed-model" as const,
    words,
  })),
  {
    name: "a signature that names nothing",
    files: () => withNodes("ghost"),
    code: "malformed-model",
    words: /has no node "ghost", which others read/,
  },
  {
    name: "a constant without a weight",
    files: () => graph(set("weight", { name: "v" })),
    code: "malformed-model",
    words: /Constant "w" has no weight in the manifest/,
  },
  {
    name: "functions that call each other",
    files: () =>
      graph((parts) => {
        const call = (f: string): object => named("c", "PartitionedCall", ["x"], { f: { func: { name: f } } });
        const body = (name: string, f: string): object => ({
          signature: { name, inputArg: [{ name: "x" }], outputArg: [{ name: "y" }] },
          nodeDef: [call(f)],
          ret: { y: "c:output:0" },
        });
        Object.assign(parts.topology, { library: { function: [body("f", "g"), body("g", "f")] } });
        parts.nodes.push(call("f"));
      }),
    code: "malformed-model",
    words: /calls functions that call each other without end/,
  },
  {
    name: "functions that multiply",
    files: () =>
      graph((parts) => {
        // 8^8 nodes.
        const call = (i: number, f: string): object =>
          named(`c${i}`, "PartitionedCall", ["x"], { f: { func: { name: f } } });
        const bodies = Array.from({ length: 8 }, (_, i) => ({
          signature: { name: `f${i}`, inputArg: [{ name: "x" }], outputArg: [{ name: "y" }] },
          nodeDef: Array.from({ length: 8 }, (_, k) => call(k, `f${i + 1}`)),
          ret: { y: "c0:output:0" },
        }));
        Object.assign(parts.topology, { library: { function: bodies } });
        parts.nodes.push(call(0, "f0"));
      }),
    code: "malformed-model",
    words: /calls functions that call each other without end/,
  },
];
