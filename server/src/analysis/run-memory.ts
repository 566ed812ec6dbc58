/** Memory that running models takes, foretold from the sizes of their weights and held against the person's limit. */
import { PruneScopeError } from "../../protocol/errors.js";
import { byteLength, elementCount } from "../graph/tensor.js";
import { allGraphs } from "../graph/traversal.js";
import type { OpenModel } from "./open-model.js";

/** Memory that ONNX Runtime needs to load a model, as a multiple of its weights (what it is given, and its own copy). */
const memoryPerByte = 2.2;

/** Bytes that ONNX Runtime is given of a model: its files, or what is decoded of them. */
export function bytesToRun({ format, source, model }: OpenModel): number {
  if (format.runs) return source.size();
  let bytes = 0;
  for (const graph of allGraphs(model.graph))
    for (const { tensor } of graph.constants.values())
      bytes += byteLength(tensor.dtype, elementCount(tensor.shape)) ?? 0;
  return bytes;
}

/** MB that a model of so many {@link bytesToRun} takes once it is loaded; activations come on top. */
export const megabytesToRun = (bytes: number): number => (memoryPerByte * bytes) / 1e6;

/** @throws PruneScopeError `out-of-memory` when the model at `path` needs more than `limit` MB (0 = no limit). */
export function requireRunMemory(path: string, bytes: number, limit: number): void {
  const needed = megabytesToRun(bytes);
  if (limit === 0 || needed <= limit) return;
  throw new PruneScopeError(
    "out-of-memory",
    `Running this model needs about ${Math.ceil(needed)} MB, more than prunescope.engine.memoryLimit (${limit} MB) allows.`,
    { file: path },
  );
}
