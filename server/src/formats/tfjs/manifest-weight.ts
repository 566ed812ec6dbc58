/** An entry of a weights manifest, checked, and where its elements lie in the shards of its group. */
import type { DType } from "../../../protocol/model.js";
import { byteLength, type Coded, elementCount, maxRank, type TensorRef } from "../../graph/tensor.js";
import type { Source } from "../source.js";
import { isObject, type Json } from "./document.js";
import { shortened } from "./json.js";

/** A weight of the manifest. */
export interface ManifestWeight {
  readonly name: string;
  /** Strings lie there as TensorFlow.js has them: the bytes of each behind their number, in four bytes. */
  readonly tensor: TensorRef;
}

/** Throws with the end of a sentence about the group: `names "w" twice`. */
export type Refuse = (why: string, value?: string) => never;

/** The shards of a group, joined. */
export interface WeightGroup {
  readonly source: Source;
  /** Name of the joined file in `source`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly refuse: Refuse;
}

/** Most elements of one weight: what a typed array can count without rounding its bytes. */
const maxElements = 2 ** 40;

/** Most characters of a weight's name: the graph repeats names, and people read them. */
const maxName = 4096;

const dtypes: ReadonlyMap<Json | undefined, DType> = new Map([
  ["float32", "float"],
  ["int32", "int32"],
  ["bool", "bool"],
  ["complex64", "complex64"],
  ["string", "string"],
]);

/** The largest code of each quantisation by scale and minimum. */
const largestCodes: ReadonlyMap<Json | undefined, number> = new Map([
  ["uint8", 255],
  ["uint16", 65535],
]);

/** Where the weight lies whose elements begin at byte `offset` of the group. */
export function weightOf(entry: Json, offset: number, group: WeightGroup): ManifestWeight {
  const { path, refuse } = group;
  if (!isObject(entry) || typeof entry["name"] !== "string" || entry["name"] === "")
    return refuse("lists a weight without a name");
  const { name, shape, dtype, quantization } = entry as { name: string } & Record<string, Json | undefined>;
  if (name.length > maxName) return refuse(`has a weight whose name has ${name.length} characters`);
  const quoted = shortened(name);
  const whole = (dim: Json): dim is number => Number.isSafeInteger(dim) && (dim as number) >= 0;
  if (!Array.isArray(shape) || shape.length > maxRank || !(shape as readonly Json[]).every(whole))
    return refuse(`gives ${quoted} the shape ${shortOf(shape)}, which is none`, name);
  const dims = shape as readonly number[];
  const count = elementCount(dims);
  if (!(count <= maxElements))
    return refuse(`gives ${quoted} the shape [${dims.join(", ")}], which no file holds`, name);
  const known = dtypes.get(dtype);
  if (known === undefined) return refuse(`gives ${quoted} the unknown dtype ${shortOf(dtype)}`, name);
  const coded = quantization === undefined ? null : codedOf(quantization, name, known, refuse);
  const length = byteLength(coded?.stored ?? known, count) ?? stringsLength(count, name, offset, group);
  return { name, tensor: { path, offset, length, dtype: known, shape: dims, encoding: coded ?? "raw" } };
}

function codedOf(quantization: Json, name: string, dtype: DType, refuse: Refuse): Coded {
  const quoted = shortened(name);
  const { dtype: stored, scale, min } = isObject(quantization) ? quantization : {};
  const largest = largestCodes.get(stored);
  if (largest === undefined && stored !== "float16")
    return refuse(`quantises ${quoted} to the unknown dtype ${shortOf(stored)}`, name);
  if (dtype !== "float" && (dtype !== "int32" || largest === undefined))
    return refuse(`quantises ${quoted} to ${shortOf(stored)}, which its ${dtype} elements cannot be`, name);
  if (largest === undefined) return { stored: "float16", scale: 1, min: 0 };
  if (typeof scale !== "number" || typeof min !== "number")
    return refuse(`quantises ${quoted} without the numbers of its scale and min`, name);
  const limit = dtype === "float" ? largestFloat : 2 ** 31 - 1;
  if (!(Math.abs(min) <= limit && Math.abs(largest * scale + min) <= limit))
    return refuse(`quantises ${quoted} by scale ${scale} and min ${min}, which ${dtype} has no numbers for`, name);
  return { stored: stored as "uint8" | "uint16", scale, min };
}

const largestFloat = (2 - 2 ** -23) * 2 ** 127;

/** Bytes of `count` strings, whose lengths are read a block at a time: there may be as many as the file has words. */
function stringsLength(
  count: number,
  name: string,
  offset: number,
  { source, path, size, refuse }: WeightGroup,
): number {
  const block = new DataView(new ArrayBuffer(65536));
  let start = 0;
  let held = 0;
  let end = offset;
  for (let i = 0; i < count; i++) {
    if (end + 4 > size) return refuse(`has fewer than the ${count} strings of ${shortened(name)} in its shards`, name);
    if (end + 4 > start + held) {
      start = end;
      held = Math.min(block.byteLength, size - end);
      source.read(path, start, new Uint8Array(block.buffer, 0, held));
    }
    end += 4 + block.getUint32(end - start, true);
  }
  return end - offset;
}

/** What stands in a field where something else should. */
function shortOf(json: Json | undefined): string {
  const text = JSON.stringify(json) as string | undefined;
  return text === undefined ? "(none)" : text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
