/** Writes a TensorFlow.js model as its converters do: model.json, and shards beside it that a weight may straddle. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ManifestEntry, type Quantisation, stored, type TfjsWeight } from "./weights.js";

/** A model before it is written. */
export interface TfjsModel {
  readonly format: "layers-model" | "graph-model";
  readonly topology: object;
  readonly weights: readonly TfjsWeight[];
  /** Further fields of model.json: signature, userDefinedMetadata, … */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface FolderOptions {
  /** How weights are stored: all float32 weights, or each by its name. */
  readonly quantise?: Quantisation | ((name: string) => Quantisation | null);
  /** Most bytes of a shard; 4 MiB as converters have it. */
  readonly shardSize?: number;
  /** Groups of the manifest, which weights are dealt to in order; 1. */
  readonly groups?: number;
}

/** What model.json holds. */
export interface ModelJson {
  format: string;
  generatedBy: string;
  convertedBy: string | null;
  modelTopology: object;
  weightsManifest: { paths: string[]; weights: ManifestEntry[] }[];
  [field: string]: unknown;
}

/** The content of model.json and of every shard by its path. */
export function tfjsFiles(
  { format, topology, weights, fields = {} }: TfjsModel,
  { quantise, shardSize = 4 << 20, groups = 1 }: FolderOptions = {},
): { readonly json: ModelJson; readonly shards: ReadonlyMap<string, Uint8Array> } {
  const quantisation = (weight: TfjsWeight): Quantisation | null => {
    if (typeof quantise === "function") return quantise(weight.name);
    return weight.dtype === "float32" ? (quantise ?? null) : null;
  };
  const shards = new Map<string, Uint8Array>();
  const perGroup = Math.max(1, Math.ceil(weights.length / groups));
  const weightsManifest = Array.from({ length: groups }, (_, g) => {
    const group = weights.slice(g * perGroup, (g + 1) * perGroup).map((one) => stored(one, quantisation(one)));
    const bytes = Buffer.concat(group.map((one) => one.bytes));
    const count = Math.max(1, Math.ceil(bytes.length / shardSize));
    const paths = Array.from({ length: count }, (_, s) => {
      const path = `group${g + 1}-shard${s + 1}of${count}.bin`;
      shards.set(path, bytes.subarray(s * shardSize, (s + 1) * shardSize));
      return path;
    });
    return { paths, weights: group.map(({ entry }) => entry) };
  });
  const json = {
    format,
    generatedBy: "prunescope-test",
    convertedBy: "TensorFlow.js Converter v4.22.0",
    ...fields,
    modelTopology: topology,
    weightsManifest,
  };
  return { json, shards };
}

/** Writes the model into `folder`, which is made. @returns the path of its model.json. */
export function writeTfjs(folder: string, model: TfjsModel, options: FolderOptions = {}): string {
  const { json, shards } = tfjsFiles(model, options);
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of shards) writeFileSync(join(folder, path), bytes);
  const path = join(folder, "model.json");
  writeFileSync(path, JSON.stringify(json));
  return path;
}
