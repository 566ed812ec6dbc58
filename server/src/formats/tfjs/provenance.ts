/**
 * Where a saved TensorFlow.js model says what was done to it: `userDefinedMetadata.prunescope` of its model.json, which
 * tfjs' own loaders and savers hand on. It is put in as text, so that every other character of the file stays.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Model } from "../../graph/graph.js";
import type { MetadataRecord } from "../free-keys.js";
import type { Source } from "../source.js";
import type { Splice } from "../write-changed.js";
import { isObject, type TfjsDocument } from "./document.js";
import { placesAlong } from "./json-places.js";

const outer = "userDefinedMetadata";
const inner = "prunescope";

/** The records that a save left there, under the keys that an ONNX model has them under (`prunescope.recipe`). */
export function provenanceIn({ rest }: TfjsDocument): Model["metadata"] {
  const metadata = rest[outer];
  const records = isObject(metadata) ? metadata[inner] : undefined;
  if (!isObject(records)) return [];
  return Object.entries(records).flatMap(([key, value]) =>
    typeof value === "string" ? [{ key: `${inner}.${key}`, value }] : [],
  );
}

/**
 * The text that puts records, of which there is one at least, into the model.json of `source`.
 * @throws PruneScopeError `malformed-model` where something else than an object stands in their place.
 */
export function provenanceSplice(source: Source, records: readonly MetadataRecord[]): Splice {
  const path = source.main;
  const bytes = new Uint8Array(source.size(path));
  source.read(path, 0, bytes);
  const mark = byteOrderMark.every((byte, i) => bytes[i] === byte) ? byteOrderMark.length : 0;
  // One character for each byte: offsets are those of the file. What is not ASCII stands inside strings only.
  const places = placesAlong(Buffer.from(bytes.buffer, mark).toString("latin1"), [outer, inner]);
  const { kind, offset, length, empty, before } = places.at(-1)!;
  if (kind === "other") {
    throw new PruneScopeError(
      "malformed-model",
      `${path} has a ${outer} that holds no object for the recipe to be put into. Save without metadata (--no-metadata).`,
      { file: path },
    );
  }
  // The part of the path that is not there yet is made with it.
  const fields = Object.fromEntries(records.map(({ key, value }) => [key.replace(`${inner}.`, ""), value]));
  const value = [fields, { [inner]: fields }, { [outer]: { [inner]: fields } }][3 - places.length]!;
  const object = JSON.stringify(value);
  const text = kind === "null" ? object : `${empty ? "" : ","}${before}${object.slice(1, -1)}`;
  return { offset: mark + offset, length, bytes: new TextEncoder().encode(text) };
}

const byteOrderMark = [0xef, 0xbb, 0xbf];
