/**
 * Writes the files of a model again with some of their bytes changed: one pass over each, elements edited on the way, and
 * all of them named together at the end. What no edit and no splice touches is copied byte for byte. Files that are read
 * as one (`Source.join`) are written from one stream, in which an edited tensor may begin in one file and end in the next.
 */
import { dirname, resolve } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import { AtomicFile } from "./atomic-file.js";
import { commitTogether, finishInterrupted } from "./commit-together.js";
import type { TensorEdit, WriteOptions } from "./format.js";
import { type PlaceOptions, placesOf } from "./places.js";
import type { Source } from "./source.js";
import { blockElements } from "./stored-elements.js";

/** Bytes copied at a time where nothing is edited. */
const chunkBytes = 1 << 22;

/** Edited blocks between two chances to cancel: well under the time that a cancelled job is given to clean up. */
const blocksPerPause = 32;

/** Bytes of the original in [offset, offset + length) that become `bytes`. */
export interface Splice {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

export interface ChangedFiles extends Pick<PlaceOptions, "openData"> {
  /** Changes of the main file besides its edited tensors. */
  readonly splices: readonly Splice[];
  /** Makes the target's own folder where there is none; folders of its data are made anyhow. */
  readonly makeFolder: boolean;
}

/**
 * Writes all files of `source`, the main one to the target, the others beside it under their own names.
 * @throws PruneScopeError `unsafe-path` for a place that is not to be written to, `malformed-model` for tensors that
 * overlap and files that are in two groups, `write-failed`; nothing has changed then.
 */
export async function writeChanged(source: Source, options: WriteOptions, changed: ChangedFiles): Promise<void> {
  const target = resolve(options.target);
  const { replaceOriginal, originals = source.paths } = options;
  const { splices, makeFolder, openData } = changed;
  finishInterrupted(dirname(target));
  const places = placesOf(source, { target, replaceOriginal, originals, openData });
  const total = source.size();
  let before = 0;
  const output = new Output((path) => new AtomicFile(places.get(path)!, path !== source.main || makeFolder));
  try {
    for (const name of source.wholes) {
      const base = before;
      const changes = [...tensorChanges(options.edits, name), ...(name === source.main ? splices : [])];
      output.begin(source.partsOf(name));
      await copyChanged(source, name, changes, output, (done) => options.progress(base + done, total));
      await output.end();
      before += source.size(name);
    }
    options.beforeCommit();
    await commitTogether(output.files);
  } catch (error) {
    // Backwards, so that folders are empty when it is their turn.
    for (const file of [...output.files].reverse()) await file.discard();
    throw error;
  }
}

/** Bytes of one stream, put into the files that it stands for: each gets as many as it had, the last one the rest. */
class Output {
  readonly files: AtomicFile[] = [];
  readonly #paths = new Set<string>();
  #parts: readonly { readonly path: string; readonly length: number }[] = [];
  #next = 0;
  #file: AtomicFile | null = null;
  /** Bytes that the open file still gets. */
  #room = 0;

  constructor(readonly open: (path: string) => AtomicFile) {}

  begin(parts: readonly { readonly path: string; readonly length: number }[]): void {
    this.#parts = parts;
    this.#next = 0;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      while (this.#file === null || this.#room === 0) await this.#turn();
      const count = Math.min(this.#room, bytes.byteLength - at);
      this.#file.append(bytes.subarray(at, at + count));
      this.#room -= count;
      at += count;
    }
  }

  /** Makes the files durable, those among them that got no bytes. */
  async end(): Promise<void> {
    while (this.#next < this.#parts.length) await this.#turn();
    await this.#file?.finish();
    this.#file = null;
  }

  /** Goes on to the next file. One is open at a time, however many there are. */
  async #turn(): Promise<void> {
    await this.#file?.finish();
    const { path, length } = this.#parts[this.#next++]!;
    if (this.#paths.has(path)) {
      throw new PruneScopeError(
        "malformed-model",
        `${path} belongs to two groups of the model's weights, which cannot both be written to it.`,
        { file: path },
      );
    }
    this.#paths.add(path);
    this.#room = this.#next === this.#parts.length ? Infinity : length;
    this.#file = this.open(path);
    this.files.push(this.#file);
  }
}

/** A place of a file that is written otherwise than it was read. */
type Change = { readonly offset: number } & ({ readonly edit: TensorEdit } | Splice);

const tensorChanges = (edits: readonly TensorEdit[], path: string): Change[] =>
  edits.filter(({ tensor }) => tensor.path === path).map((edit) => ({ offset: edit.tensor.offset, edit }));

async function copyChanged(
  source: Source,
  path: string,
  changes: readonly Change[],
  output: Output,
  progress: (done: number) => Promise<void>,
): Promise<void> {
  const size = source.size(path);
  const chunk = new Uint8Array(Math.min(chunkBytes, size));
  let at = 0;
  const copyTo = async (end: number): Promise<void> => {
    while (at < end) {
      const part = chunk.subarray(0, Math.min(chunk.length, end - at));
      source.read(path, at, part);
      await output.append(part);
      at += part.length;
      await progress(at);
    }
  };
  for (const change of [...changes].sort((a, b) => a.offset - b.offset)) {
    if (!("edit" in change)) {
      await copyTo(change.offset);
      await output.append(change.bytes);
      at += change.length;
      continue;
    }
    const { name, tensor, elements, edit } = change.edit;
    if (tensor.offset < at) {
      throw new PruneScopeError("malformed-model", `Tensor "${name}" overlaps another one in ${path}.`, {
        file: path,
        value: name,
        offset: tensor.offset,
      });
    }
    await copyTo(tensor.offset);
    for (let start = 0; start < elements.size; start += blockElements) {
      const count = Math.min(blockElements, elements.size - start);
      const { bytes } = elements.bytes(start, count);
      edit(bytes, start, count);
      await output.append(bytes);
      at += bytes.byteLength;
      if ((start / blockElements) % blocksPerPause === 0) await progress(at);
    }
  }
  await copyTo(size);
}
