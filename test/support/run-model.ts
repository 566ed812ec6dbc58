/** Runs a model of the graph in ONNX Runtime, its large constants fed from the files that hold them. */
import * as ort from "onnxruntime-node";
import type { Source } from "../../server/src/formats/source.js";
import type { Constant, Model } from "../../server/src/graph/graph.js";
import { encodeModel } from "../../server/src/runtime/encode.js";
import { openSession } from "../../server/src/runtime/session.js";

/** Values by name. */
export type Outputs = Readonly<Record<string, ort.Tensor>>;

/** A large constant of a file as a tensor. */
export function fileTensor(source: Source, { tensor, sparse }: Constant): ort.Tensor {
  if (sparse !== null) throw new Error("sparse constants are not read here");
  const bytes = new Uint8Array(tensor.length);
  source.read(tensor.path, tensor.offset, bytes);
  if (tensor.dtype === "float") return new ort.Tensor("float32", new Float32Array(bytes.buffer), tensor.shape);
  if (tensor.dtype === "int64") return new ort.Tensor("int64", new BigInt64Array(bytes.buffer), tensor.shape);
  throw new Error(`constants of type ${tensor.dtype} are not read here`);
}

/** Outputs of `model` for `feeds`; feeds that the model does not take are left out. Nothing is optimised. */
export async function runModel(model: Model, feeds: Outputs, source: Source | null = null): Promise<Outputs> {
  const { bytes, lifted } = encodeModel(model, { extraOutputs: [], inputShapes: new Map() });
  const all: Record<string, ort.Tensor> = { ...feeds };
  for (const [name, constant] of lifted) {
    if (source === null) throw new Error(`"${name}" lies in a file`);
    all[name] = fileTensor(source, constant);
  }
  return runBytes(bytes, all);
}

/** Outputs of a model given as bytes or by its path. */
export async function runBytes(model: string | Uint8Array, feeds: Outputs): Promise<Outputs> {
  const session = await openSession(model, { threads: 1, optimise: false });
  try {
    return await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])));
  } finally {
    await session.release();
  }
}

/** Largest difference of two sets of outputs over the largest element of each; Infinity where names or shapes differ. */
export function relativeDifference(expected: Outputs, found: Outputs): number {
  let worst = 0;
  if (Object.keys(expected).join() !== Object.keys(found).join()) return Infinity;
  for (const [name, tensor] of Object.entries(expected)) {
    const other = found[name]!;
    if (tensor.type !== other.type || tensor.dims.join() !== other.dims.join()) return Infinity;
    const a = Array.from(tensor.data as ArrayLike<number | bigint>, Number);
    const b = Array.from(other.data as ArrayLike<number | bigint>, Number);
    const scale = a.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-30);
    a.forEach((value, i) => {
      if (!Object.is(value, b[i])) worst = Math.max(worst, Math.abs(value - b[i]!) / scale);
      if (Number.isNaN(value) !== Number.isNaN(b[i]!)) worst = Infinity;
    });
  }
  return worst;
}
