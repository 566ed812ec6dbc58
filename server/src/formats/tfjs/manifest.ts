/**
 * The manifest of a TensorFlow.js model: groups of shards, and the weights that lie in each group one after the other.
 * A group is read as one file, because a weight may begin in one shard and end in the next.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { DType } from "../../../protocol/model.js";
import { byteLength, type Coded, elementCount, maxRank, type TensorRef } from "../../graph/tensor.js";
import { externalPath } from "../external-path.js";
import type { Source } from "../source.js";
import { isObject, type Json, type TfjsDocument } from "./document.js";

/** A weight of the manifest. */
export interface ManifestWeight {
  readonly name: string;
  readonly tensor: TensorRef;
}

/** Most elements of one weight: what a typed array can count without rounding its bytes. */
const maxElements = 2 ** 40;

const dtypes: Readonly<Record<string, DType>> = { float32: "float", int32: "int32", bool: "bool" };
const codes: ReadonlySet<string> = new Set(["uint8", "uint16", "float16"]);

/**
 * Opens the shards of a model and says where each weight lies, by name.
 * @throws PruneScopeError `missing-data` for a shard that is absent, `unsafe-path` for one outside the model's folder,
 * `malformed-model` for what contradicts itself, `unsupported-op` for elements that are no numbers.
 */
export function readManifest(source: Source, { path, manifest }: TfjsDocument): Map<string, ManifestWeight> {
  const weights = new Map<string, ManifestWeight>();
  manifest.forEach((group, g) => {
    const refuse = (why: string, value?: string): never => {
      throw new PruneScopeError("malformed-model", `Group ${g} of the weights manifest in ${path} ${why}.`, {
        file: path,
        ...(value === undefined ? {} : { value }),
      });
    };
    if (!isObject(group)) return refuse("is no object");
    const { paths, weights: entries } = group;
    if (!Array.isArray(paths) || !paths.every((one): one is string => typeof one === "string"))
      return refuse("has no list of paths");
    if (!Array.isArray(entries)) return refuse("has no list of weights");
    const files = (paths as readonly string[]).map((location) =>
      externalPath(path, location, `group ${g} of the weights manifest`),
    );
    if (new Set(files).size !== files.length) return refuse("names a shard twice");
    for (const file of files) source.add(file);
    const name = `${path}#${g}`;
    source.join(name, files);
    const size = source.size(name);
    let offset = 0;
    for (const entry of entries as readonly Json[]) {
      const weight = weightOf(entry, name, offset, refuse);
      if (weights.has(weight.name)) return refuse(`names "${weight.name}" twice`, weight.name);
      offset += weight.tensor.length;
      if (offset > size)
        return refuse(
          `has ${size} bytes in its shards, and "${weight.name}" would end at byte ${offset}: a shard is cut off or missing`,
          weight.name,
        );
      weights.set(weight.name, weight);
    }
    if (offset !== size) return refuse(`has ${size} bytes in its shards, but its weights take ${offset}`);
    return undefined;
  });
  return weights;
}

function weightOf(
  entry: Json,
  path: string,
  offset: number,
  refuse: (why: string, value?: string) => never,
): ManifestWeight {
  if (!isObject(entry) || typeof entry["name"] !== "string") return refuse("lists a weight without a name");
  const { name, shape, dtype, quantization } = entry as { name: string } & Record<string, Json | undefined>;
  const whole = (dim: Json): dim is number => Number.isSafeInteger(dim) && (dim as number) >= 0;
  if (!Array.isArray(shape) || shape.length > maxRank || !(shape as readonly Json[]).every(whole))
    return refuse(`gives "${name}" the shape ${JSON.stringify(shape)}`, name);
  const dims = shape as readonly number[];
  const count = elementCount(dims);
  if (!(count <= maxElements))
    return refuse(`gives "${name}" the shape [${dims.join(", ")}], which no file holds`, name);
  if (dtype === "string" || dtype === "complex64") {
    throw new PruneScopeError("unsupported-op", `Weight "${name}" has ${dtype} elements, which are not supported.`, {
      value: name,
    });
  }
  const known = typeof dtype === "string" && Object.hasOwn(dtypes, dtype) ? dtypes[dtype] : undefined;
  if (known === undefined) return refuse(`gives "${name}" the unknown dtype ${JSON.stringify(dtype)}`, name);
  const coded = quantization === undefined ? null : codedOf(quantization, name, refuse);
  return {
    name,
    tensor: {
      path,
      offset,
      length: byteLength(coded?.stored ?? known, count)!,
      dtype: known,
      shape: dims,
      encoding: coded ?? "raw",
    },
  };
}

function codedOf(quantization: Json, name: string, refuse: (why: string, value?: string) => never): Coded {
  const { dtype, scale = 1, min = 0 } = isObject(quantization) ? quantization : {};
  if (typeof dtype !== "string" || !codes.has(dtype))
    return refuse(`quantises "${name}" to the unknown dtype ${JSON.stringify(dtype)}`, name);
  if (dtype === "float16") return { stored: "float16", scale: 1, min: 0 };
  if (typeof scale !== "number" || typeof min !== "number" || !Number.isFinite(scale) || !Number.isFinite(min))
    return refuse(`quantises "${name}" by scale ${JSON.stringify(scale)} and min ${JSON.stringify(min)}`, name);
  return { stored: dtype as "uint8" | "uint16", scale, min };
}
