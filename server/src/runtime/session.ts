/**
 * Sessions on ONNX Runtime. The native library is loaded on first use: jobs that only read files never pay for it.
 */
import { availableParallelism } from "node:os";
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";

type Runtime = typeof Ort;

let loaded: Runtime | undefined;

/** What is missing most often where the library is there and does not load. */
const hint =
  process.platform === "win32" ? " Install the Microsoft Visual C++ 2015–2022 Redistributable and try again." : "";

/** The runtime itself. @throws PruneScopeError `unsupported-op` when its native library does not load here. */
export async function onnxRuntime(): Promise<Runtime> {
  if (loaded === undefined) {
    try {
      loaded = await import("onnxruntime-node");
    } catch (error) {
      throw new PruneScopeError(
        "unsupported-op",
        `ONNX Runtime cannot be loaded on ${process.platform}-${process.arch}: ${(error as Error).message}.${hint}`,
        {},
        { cause: error },
      );
    }
  }
  return loaded;
}

/** Threads for a setting: 0 leaves one core to everything else. */
export function threadCount(setting: number): number {
  return setting > 0 ? setting : Math.max(1, availableParallelism() - 1);
}

export interface SessionOptions {
  readonly threads: number;
  readonly optimise: boolean;
  /** Elements of initializers that lie outside of the model, by their location. */
  readonly external?: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Opens a model, given as a path or as bytes. @throws PruneScopeError with what ONNX Runtime does not take. */
export async function openSession(
  model: string | Uint8Array,
  { threads, optimise, external }: SessionOptions,
): Promise<Ort.InferenceSession> {
  const ort = await onnxRuntime();
  const options: Ort.InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    graphOptimizationLevel: optimise ? "all" : "disabled",
    intraOpNumThreads: threadCount(threads),
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 4,
    ...(external === undefined ? {} : { externalData: external }),
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  try {
    return typeof model === "string"
      ? await ort.InferenceSession.create(model, options)
      : await ort.InferenceSession.create(model, options);
  } catch (error) {
    throw runtimeError(error, typeof model === "string" ? model : undefined);
  }
}

/** Longest message of ONNX Runtime that is shown whole: names in a model can have any length. */
const maxWords = 1000;

/** What ONNX Runtime says, as the end of a sentence. */
function ended(text: string): string {
  if (text.length > maxWords) return `${text.slice(0, maxWords)}…`;
  return /[.!)]$/.test(text) ? text : `${text}.`;
}

/** An error of ONNX Runtime in one sentence, with the operator where its message names one. */
export function runtimeError(error: unknown, file?: string): PruneScopeError {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
  const operator =
    /(?:implementation for|No Op registered for|No opset import for domain|Unrecognized operator|not a registered function\/op)[^A-Za-z]*([\w.:]+)/i.exec(
      text,
    )?.[1] ?? /([\w.:]+)\([\d,\- ]*\) is not a registered function/.exec(text)?.[1];
  const about = { ...(file === undefined ? {} : { file }), ...(operator === undefined ? {} : { operator }) };
  const missing = /NOT_IMPLEMENTED|not implemented|No Op registered|not a registered|Unrecognized|not supported/i.test(
    text,
  );
  return new PruneScopeError(
    missing ? "unsupported-op" : "unsupported-format",
    `ONNX Runtime does not run this model: ${ended(text)}`,
    about,
    { cause: error },
  );
}
