/**
 * NumPy's .npz archives: a zip of .npy members. Members are found through the archive's directory and read as streams,
 * stored or deflated; nothing is unpacked that is not asked for, and never more than a member's directory entry states.
 */
import type { Readable } from "node:stream";
import type { Entry, ZipFile } from "yauzl";
import { PruneScopeError } from "../../protocol/errors.js";
import { npyArray } from "./npy.js";
import type { ByteSource, Range, StoredArray } from "./stored-array.js";

/** Most members of an archive. */
const maxMembers = 10_000;

/** An open archive. */
export interface Npz {
  /** Names of its arrays, without `.npy`. */
  readonly names: readonly string[];
  array(name: string): Promise<StoredArray>;
  close(): void;
}

/** @throws PruneScopeError `unsupported-format` when `file` is no zip archive or holds a name twice. */
export async function openNpz(file: string): Promise<Npz> {
  const { openPromise } = await import("yauzl");
  const zip = await readable(file, () => openPromise(file, { autoClose: false, lazyEntries: true }));
  try {
    const members = await readable(file, () => membersOf(zip, file));
    return {
      names: [...members.keys()],
      array: async (name) => {
        const entry = members.get(name);
        if (entry === undefined) throw new Error(`${file} has no array ${name}`);
        return npyArray(memberBytes(zip, entry, file), `Array "${name}" of ${file}`, file);
      },
      close: () => {
        zip.close();
      },
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function membersOf(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const members = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.endsWith(".npy")) continue;
    const name = entry.fileName.slice(0, -".npy".length);
    if (members.has(name) || members.size === maxMembers) {
      const why = members.has(name) ? `two arrays named "${name}"` : `more than ${maxMembers} arrays`;
      throw new PruneScopeError("unsupported-format", `${file} holds ${why}.`, { file });
    }
    members.set(name, entry);
  }
  return members;
}

function memberBytes(zip: ZipFile, entry: Entry, file: string): ByteSource {
  return {
    size: entry.uncompressedSize,
    collect: (ranges, out) =>
      readable(file, async () => {
        await collect(await zip.openReadStreamPromise(entry), ranges, out);
      }),
  };
}

/** Copies `ranges` of a stream into `out`, and stops the stream after the last. */
async function collect(stream: Readable, ranges: Iterable<Range>, out: Uint8Array): Promise<void> {
  const wanted = ranges[Symbol.iterator]();
  let range = wanted.next();
  let taken = 0;
  let filled = 0;
  let start = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    const end = start + chunk.length;
    while (range.done !== true && range.value.offset + taken < end) {
      const { offset, length } = range.value;
      const part = chunk.subarray(offset + taken - start, Math.min(offset + length, end) - start);
      out.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (taken < length) break;
      range = wanted.next();
      taken = 0;
    }
    if (range.done === true) return;
    start = end;
  }
  if (filled < out.length) throw new Error("an array ends too early");
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PruneScopeError) throw error;
    const { message } = error as Error;
    throw new PruneScopeError(
      "unsupported-format",
      `${file} is no readable .npz archive: ${message}.`,
      { file },
      {
        cause: error,
      },
    );
  }
}
