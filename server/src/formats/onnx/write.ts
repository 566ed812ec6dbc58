/**
 * Saves an ONNX model with edited weights and, on request, Mul nodes in front of inputs. The original is copied byte for
 * byte in one pass; weights are edited on the way, in place, so that without new nodes everything else keeps its offset.
 * Provenance follows after the last original byte.
 */
import { dirname, resolve } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Model } from "../../graph/graph.js";
import { AtomicFile } from "../atomic-file.js";
import { commitTogether, finishInterrupted } from "../commit-together.js";
import type { TensorEdit, WriteOptions } from "../format.js";
import type { Source } from "../source.js";
import { blockElements } from "../stored-elements.js";
import { placesOf } from "./places.js";
import { scaleSplices } from "./scale-splices.js";

/** Bytes copied at a time where nothing is edited. */
const chunkBytes = 1 << 22;

/** Edited blocks between two chances to cancel: well under the time that a cancelled job is given to clean up. */
const blocksPerPause = 32;

/** Writes the model; see {@link WriteOptions}. External data goes beside the target under its own names. */
export async function writeOnnx(source: Source, model: Model, options: WriteOptions): Promise<void> {
  const target = resolve(options.target);
  const { replaceOriginal, originals = source.paths } = options;
  finishInterrupted(dirname(target));
  const places = placesOf(source, { target, replaceOriginal, originals });
  const splices = scaleSplices(source, model, options.scales);
  const total = source.size();
  let before = 0;
  const written: AtomicFile[] = [];
  try {
    for (const [path, place] of places) {
      // The model's own folder has to be there; those of its data are made.
      const file = new AtomicFile(place, path !== source.main);
      written.push(file);
      const base = before;
      const changes = [...tensorChanges(options.edits, path), ...(path === source.main ? splices : [])];
      await copyChanged(source, path, changes, file, (done) => options.progress(base + done, total));
      before += source.size(path);
      if (path === source.main) file.append(provenance(model, options.provenance));
      await file.finish();
    }
    options.beforeCommit();
    await commitTogether(written);
  } catch (error) {
    // Backwards, so that folders are empty when it is their turn.
    for (const file of [...written].reverse()) await file.discard();
    throw error;
  }
}

/** A place of a file that is written otherwise than it was read. */
type Change = { readonly offset: number } & (
  { readonly edit: TensorEdit } | { readonly length: number; readonly bytes: Uint8Array }
);

const tensorChanges = (edits: readonly TensorEdit[], path: string): Change[] =>
  edits.filter(({ tensor }) => tensor.path === path).map((edit) => ({ offset: edit.tensor.offset, edit }));

async function copyChanged(
  source: Source,
  path: string,
  changes: readonly Change[],
  file: AtomicFile,
  progress: (done: number) => Promise<void>,
): Promise<void> {
  const size = source.size(path);
  const chunk = new Uint8Array(Math.min(chunkBytes, size));
  let at = 0;
  const copyTo = async (end: number): Promise<void> => {
    while (at < end) {
      const part = chunk.subarray(0, Math.min(chunk.length, end - at));
      source.read(path, at, part);
      file.append(part);
      at += part.length;
      await progress(at);
    }
  };
  for (const change of [...changes].sort((a, b) => a.offset - b.offset)) {
    if (!("edit" in change)) {
      await copyTo(change.offset);
      file.append(change.bytes);
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
      file.append(bytes);
      at += bytes.byteLength;
      if ((start / blockElements) % blocksPerPause === 0) await progress(at);
    }
  }
  await copyTo(size);
}

/** Records as `metadata_props` of a ModelProto; keys that the model already has get a number behind them. */
function provenance(model: Model, records: WriteOptions["provenance"]): Uint8Array {
  const taken = new Set(model.metadata.map(({ key }) => key));
  const metadataProps = records.map(({ key, value }) => {
    let free = key;
    for (let n = 2; taken.has(free); n++) free = `${key}.${n}`;
    return create(StringStringEntryProtoSchema, { key: free, value });
  });
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { metadataProps }));
}
