/** Memory that running models takes, foretold from the sizes of their files and held against the person's limit. */
import { PruneScopeError } from "../../protocol/errors.js";

/** Memory that ONNX Runtime needs to load a model, as a multiple of its file (the protobuf and its own copy). */
const memoryPerByte = 2.2;

/** MB that a model of `bytes` on disk takes once it is loaded; activations come on top. */
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
