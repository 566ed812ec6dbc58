/**
 * The manifest of a TensorFlow.js model: groups of shards, and the weights that lie in each group one after the other.
 * A group is read as one file, because a weight may begin in one shard and end in the next.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { externalPath } from "../external-path.js";
import { identityOf } from "../file-identity.js";
import type { Source } from "../source.js";
import { isObject, type Json, type TfjsDocument } from "./document.js";
import { shortened } from "./json.js";
import { type ManifestWeight, type Refuse, type WeightGroup, weightOf } from "./manifest-weight.js";

export type { ManifestWeight } from "./manifest-weight.js";

/** What it takes to follow a path of the manifest. */
interface Shards {
  readonly model: string;
  readonly source: Source;
  /** Files that have been followed, under whatever name: a byte that two weights share could not be pruned for one. */
  readonly taken: Set<string>;
}

/**
 * Opens the shards of a model and says where each weight lies, by name.
 * @throws PruneScopeError `missing-data` for a shard that is absent, `unsafe-path` for one outside the model's folder,
 * `malformed-model` for what contradicts itself.
 */
export function readManifest(source: Source, { path, manifest }: TfjsDocument): Map<string, ManifestWeight> {
  const weights = new Map<string, ManifestWeight>();
  const shards = { model: path, source, taken: new Set([identityOf(path) ?? path]) };
  manifest.forEach((group, g) => {
    const owner = `group ${g} of the weights manifest`;
    const refuse: Refuse = (why, value) => {
      throw new PruneScopeError("malformed-model", `G${owner.slice(1)} in ${path} ${why}.`, {
        file: path,
        ...(value === undefined ? {} : { value }),
      });
    };
    if (!isObject(group)) return refuse("is no object");
    const { paths, weights: entries } = group;
    if (!Array.isArray(paths) || !paths.every((one): one is string => typeof one === "string"))
      return refuse("has no list of paths");
    if (!Array.isArray(entries)) return refuse("has no list of weights");
    const joined = `${path}#${g}`;
    source.join(
      joined,
      (paths as readonly string[]).map((location) => follow(location, owner, shards, refuse)),
    );
    placeWeights(entries as readonly Json[], { source, path: joined, size: source.size(joined), refuse }, weights);
    return undefined;
  });
  return weights;
}

/** Opens a shard. @returns its path. */
function follow(location: string, owner: string, { model, source, taken }: Shards, refuse: Refuse): string {
  // More than one letter: C:\ is a drive.
  if (/^[a-z][a-z0-9+.-]+:/i.test(location))
    throw new PruneScopeError(
      "unsafe-path",
      `G${owner.slice(1)} in ${model} keeps its data at ${shortened(location)}, which is no file beside the model. Nothing is fetched: put the shard into the model's folder, and its name into the manifest.`,
      { file: model },
    );
  const file = externalPath(model, location, owner);
  source.add(file);
  const identity = identityOf(file) ?? file;
  if (taken.has(identity)) return refuse(`names ${shortened(location)}, a file that the model has already`);
  taken.add(identity);
  return file;
}

function placeWeights(entries: readonly Json[], group: WeightGroup, weights: Map<string, ManifestWeight>): void {
  const { size, refuse } = group;
  let offset = 0;
  for (const entry of entries) {
    const weight = weightOf(entry, offset, group);
    const { name, tensor } = weight;
    if (weights.has(name)) refuse(`names ${shortened(name)} twice`, name);
    offset += tensor.length;
    if (offset > size)
      refuse(
        `has ${size} bytes in its shards, and ${shortened(name)} would end at byte ${offset}: a shard is cut off or missing`,
        name,
      );
    weights.set(name, weight);
  }
  if (offset !== size) refuse(`has ${size} bytes in its shards, but its weights take ${offset}`);
}
