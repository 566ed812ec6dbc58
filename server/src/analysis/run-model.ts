/**
 * Runs a model of any format by its path: a file that ONNX Runtime reads as it is, anything else as the graph that it
 * was lowered to, with the weights out of its files, decoded. They are initializers there, so that what is computed of
 * weights alone (the transposed kernels of TensorFlow.js) is computed once.
 */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import { constantBytes } from "../formats/constant-bytes.js";
import { formatOf } from "../formats/index.js";
import type { Outputs } from "../runtime/compare.js";
import { encodeModel, externalLocation } from "../runtime/encode.js";
import type { Feeds } from "../runtime/program.js";
import { openSession, runtimeError, type SessionOptions } from "../runtime/session.js";
import { type OpenModel, withModel } from "./open-model.js";

/** A model that is loaded into ONNX Runtime. */
export interface RunningModel {
  /** All outputs by name. @throws PruneScopeError what ONNX Runtime says, with the model's path. */
  run(feeds: Feeds): Promise<Outputs>;
  /** Gives its memory back. */
  close(): Promise<void>;
}

/**
 * Loads the model at `path`, optimised. Its files are closed again.
 * @throws PruneScopeError with what is wrong with the file, or what ONNX Runtime does not take.
 */
export async function openRunning(path: string, threads: number): Promise<RunningModel> {
  const options = { threads, optimise: true };
  const session = formatOf(path).runs
    ? await openSession(path, options)
    : await withModel(path, (open) => loweredSession(open, options));
  return running(session, path);
}

/** Loads the model at `path`, hands it to `work` and gives its memory back whatever happens. */
export async function withRunning<T>(
  path: string,
  threads: number,
  work: (model: RunningModel) => Promise<T>,
): Promise<T> {
  const model = await openRunning(path, threads);
  try {
    return await work(model);
  } finally {
    await model.close();
  }
}

/** Outputs of one run of the model at `path`. */
export function runModel(path: string, feeds: Feeds, threads: number): Promise<Outputs> {
  return withRunning(path, threads, (model) => model.run(feeds));
}

/** Outputs of one run of an open model's lowered graph, as it is in memory. @throws PruneScopeError as {@link openRunning}. */
export async function runLowered(open: OpenModel, feeds: Feeds, threads: number): Promise<Outputs> {
  const lowered = running(await loweredSession(open, { threads, optimise: true }), open.path);
  try {
    return await lowered.run(feeds);
  } finally {
    await lowered.close();
  }
}

function running(session: Ort.InferenceSession, path: string): RunningModel {
  return {
    run: async (feeds) => {
      try {
        return new Map(Object.entries(await session.run(feeds)));
      } catch (error) {
        throw error instanceof PruneScopeError ? error : runtimeError(error, path);
      }
    },
    close: () => session.release(),
  };
}

function loweredSession({ model, source, path }: OpenModel, options: SessionOptions): Promise<Ort.InferenceSession> {
  const { bytes, lifted } = encodeModel(model, { extraOutputs: [], inputShapes: new Map(), large: "external" });
  const external = [...lifted.values()].map((constant, i) => {
    if (constant.sparse !== null)
      throw new PruneScopeError("unsupported-op", `"${constant.name}" is stored sparsely, which is not run.`, {
        file: path,
        value: constant.name,
      });
    return { path: externalLocation(i), data: constantBytes(source, constant) };
  });
  return openSession(bytes, { ...options, external });
}
