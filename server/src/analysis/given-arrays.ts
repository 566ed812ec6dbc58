/**
 * Mask or scores that a recipe names a file of, as one field of numbers for each weight. A .npz cannot be read from the
 * middle, so each array is unpacked once, one at a time, into the cache of results, from where blocks of it are read.
 */
import { createHash } from "node:crypto";
import { openWeightArrays } from "../data/weight-arrays.js";
import { Source } from "../formats/source.js";
import { arrayField, type NumberField } from "../formats/stored-elements.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import type { ResultCache } from "./result-cache.js";

/** Changes whenever what is unpacked changes its form or meaning. */
const unpackedVersion = 1;

export interface GivenArrays {
  /** In the order of the model's weights; null where the file has no array for one. */
  readonly fields: readonly (NumberField | null)[];
  /** Sentences about what belongs to what. */
  readonly notes: readonly string[];
  /** Identity of the file's content. */
  readonly identity: string;
}

/** What is kept of a file, besides the numbers. */
interface Unpacked {
  readonly present: readonly boolean[];
  readonly notes: readonly string[];
}

/** Identity of a file: size, time, inode, and a hash of its head and tail, where a zip has the checksums of all members. @throws PruneScopeError `missing-data`. */
export function fileIdentity(file: string): string {
  const source = new Source(file);
  try {
    return source.fingerprint();
  } finally {
    source.close();
  }
}

/** The arrays of `file` for the weights of a model. @throws PruneScopeError what {@link openWeightArrays} and its readings throw. */
export async function givenArrays(
  { search, fingerprint }: OpenModel,
  file: string,
  what: "mask" | "scores",
  cache: ResultCache | null,
  context: JobContext,
): Promise<GivenArrays> {
  const identity = fileIdentity(file);
  const key = createHash("sha256")
    .update(JSON.stringify([unpackedVersion, fingerprint, identity, what]))
    .digest("hex")
    .slice(0, 32);
  const keyOf = (i: number): string => `${key}.${i}`;
  const { weights } = search;
  const known = cache === null ? null : (cache.get(key) as Unpacked | null);
  if (cache !== null && known !== null) {
    const fields = weights.map(({ size }, i) =>
      known.present[i] === true ? storedField(cache, keyOf(i), size) : null,
    );
    if (fields.every((field, i) => (field !== null) === known.present[i]))
      return { fields, notes: known.notes, identity };
  }
  const arrays = await openWeightArrays(file, weights, what);
  try {
    const total = weights.reduce((sum, { size }) => sum + size, 0);
    const fields: (NumberField | null)[] = [];
    let done = 0;
    for (const [i, { size }] of weights.entries()) {
      context.progress({ stage: what === "mask" ? "Reading the mask" : "Reading scores", done, total });
      await context.checkpoint();
      const numbers = arrays.has(i) ? await arrays.read(i) : null;
      const stored = numbers !== null && cache?.putNumbers(keyOf(i), [numbers]) === true;
      fields.push(numbers === null ? null : stored ? storedField(cache, keyOf(i), size) : arrayField(numbers));
      done += size;
    }
    const unpacked: Unpacked = { present: fields.map((field) => field !== null), notes: arrays.notes() };
    cache?.put(key, unpacked);
    return { fields, notes: unpacked.notes, identity };
  } finally {
    arrays.close();
  }
}

/** A field of numbers in the cache; null where they are no longer there. */
function storedField(cache: ResultCache, key: string, size: number): NumberField | null {
  const read = cache.numbers(key, size);
  return read === null ? null : { size, read: (start, count, out) => read(start, out.subarray(0, count)) };
}
