/**
 * TensorFlow.js models that are broken or hostile: a sound model with one thing changed, what is wrong with it, and the
 * words that people must read. The sound ones: a layers model of a Dense layer `d` (4 → 3, kernel and bias, 60 bytes in
 * `w.bin`), and a graph model of a MatMul `y` with the Const `w` (48 bytes).
 */
import type { ErrorCode } from "../../../../server/protocol/errors.js";

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

export interface Layer {
  readonly class_name: string;
  readonly name: string;
  readonly config: { readonly name: string };
  readonly inbound_nodes: unknown;
}

export const layer = (className: string, name: string, config: object, inbound: unknown = []): Layer => ({
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

export const set =
  <K extends PropertyKey>(part: K, values: object) =>
  (parts: Readonly<Record<K, object>>): void => {
    Object.assign(parts[part], values);
  };
/** The layers model with fields of its manifest's group changed. */
export const group = (values: object, more: BadFiles = {}, bytes = 60): BadFiles =>
  layers(set("group", values), more, bytes);
/** The layers model with fields of its kernel's entry changed. */
export const kernel = (values: object): BadFiles => layers(set("weight", values));
/** The graph model with fields of its weight's entry changed: it wants no shape of it. */
export const constant = (values: object): BadFiles => graph(set("weight", values));
/** The layers model with fields of the Dense layer's configuration changed. */
export const dense = (values: object): BadFiles => layers(({ d }) => Object.assign(d.config, values));

export const text = (content: string | Uint8Array): BadFiles => ({
  "model.json": content,
  "w.bin": new Uint8Array(60),
});
/** The layers model as text with a part replaced. */
export const replaced = (from: string, to: string): BadFiles => {
  const json = JSON.stringify(layersParts().json);
  if (!json.includes(from)) throw new Error(`${from} is not in model.json`);
  return text(json.replace(from, to));
};
