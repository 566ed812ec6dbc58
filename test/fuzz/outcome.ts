/** What comes of a mutant: a graph that holds its laws, or a coded error; in time, and in memory that the file warrants. */
import { PruneScopeError } from "../../server/protocol/errors.js";
import { describeModel } from "../../server/src/analysis/describe.js";
import { onnx } from "../../server/src/formats/onnx/index.js";
import { Source } from "../../server/src/formats/source.js";
import { blockElements, storedElements } from "../../server/src/formats/stored-elements.js";
import { findPrunable, type PrunableSearch } from "../../server/src/graph/prunable.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { allGraphs } from "../../server/src/graph/traversal.js";

/** Longest time that one mutant may take, in milliseconds of processor time: the machine has other work too. */
export const maxMilliseconds = 2000;

/**
 * Most bytes that reading a file of this size may leave allocated, garbage included. The structure is copied once and
 * decoded into objects of up to about 100 bytes for each of its own (an empty message of two bytes becomes an object),
 * which for the mutated models' structure of up to 200 kB is 20 MB; reading elements takes scratch of about 1 MB, the
 * table of halves 256 kB. Names that mutations put in are long and repeated in paths. Weights are never held.
 */
export const maxAllocated = (fileBytes: number): number => 48e6 + 4 * fileBytes;

export interface Outcome {
  /** `graph`, or the code of the error. */
  readonly result: string;
  /** What is wrong with it; null when nothing is. */
  readonly complaint: string | null;
  readonly milliseconds: number;
  readonly allocated: number;
}

/** Reads the mutant at `path` as opening and scoring it would. */
export function outcomeOf(path: string, fileBytes: number): Outcome {
  const before = held();
  const began = process.cpuUsage();
  let result = "graph";
  let complaint: string | null = null;
  try {
    readAll(path);
  } catch (error) {
    if (error instanceof PruneScopeError && error.code !== "internal") result = error.code;
    else {
      result = "internal";
      complaint = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }
  const { user, system } = process.cpuUsage(began);
  const milliseconds = (user + system) / 1000;
  const allocated = held() - before;
  if (milliseconds > maxMilliseconds) complaint ??= `took ${milliseconds.toFixed(0)} ms`;
  if (allocated > maxAllocated(fileBytes)) complaint ??= `left ${(allocated / 1e6).toFixed(0)} MB allocated`;
  return { result, complaint, milliseconds, allocated };
}

/** Bytes of this thread's heap, and of the buffers beside it. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function readAll(path: string): void {
  const source = new Source(path);
  try {
    const model = onnx.read(source);
    const search = findPrunable(model);
    const fingerprint = source.fingerprint();
    JSON.stringify(describeModel({ path, format: onnx, source, model, search, fingerprint }));
    for (const graph of allGraphs(model.graph)) {
      for (const { name, tensor, inline } of graph.constants.values()) {
        if (tensor.path !== "" && tensor.offset + tensor.length > source.size(tensor.path))
          throw new Error(`"${name}" lies outside its file`);
        if (inline !== null && inline.length > 4096 && tensor.path !== "")
          throw new Error(`"${name}" is held although the file has it`);
      }
    }
    checkWeights(source, search);
  } finally {
    source.close();
  }
}

/** Laws of the weights that were found, and the first and last block of each, read as scoring reads them. */
function checkWeights(source: Source, { weights }: PrunableSearch): void {
  const ids = new Set(weights.map(({ id }) => id));
  if (ids.size !== weights.length) throw new Error("two layers have one id");
  const out = new Float32Array(blockElements);
  for (const weight of weights) {
    const { id, size, shape, roles, sparse } = weight;
    const axes = [...roles.out, ...roles.in, ...roles.spatial, ...roles.batch];
    if (axes.some((axis) => !(axis >= 0 && axis < shape.length)))
      throw new Error(`"${id}" has roles for axes that it has not`);
    if (new Set(axes).size !== axes.length) throw new Error(`"${id}" has two roles for one axis`);
    if (!(size > 0) || (!sparse && size !== elementCount(shape)))
      throw new Error(`"${id}" has a size that is not its shape's`);
    if (!(Number.isSafeInteger(roles.groups) && roles.groups >= 1))
      throw new Error(`"${id}" has ${roles.groups} groups`);
    const elements = storedElements(source, weight);
    for (const start of new Set([0, Math.floor((size - 1) / blockElements) * blockElements])) {
      const count = Math.min(blockElements, size - start);
      elements.read(start, count, out);
      const { bytes } = elements.bytes(start, count);
      elements.clear(bytes, start, new Uint8Array(count));
      if (elements.countZeros(bytes, start, count) !== count) throw new Error(`"${id}" is not 0 when it is cleared`);
    }
  }
}
