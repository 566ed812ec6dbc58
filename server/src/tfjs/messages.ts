/**
 * Messages between an engine and the process that runs TensorFlow.js, its child. A child has one backend for its whole
 * life, because copies of TensorFlow.js share state within a process; one run is asked for at a time.
 */
import type { ErrorData } from "../../protocol/errors.js";

/** What computes: the native library in a folder, or a backend that is part of this program. */
export type Backend =
  | { readonly kind: "tfjs-node"; /** Absolute path of the package. */ readonly folder: string }
  | { readonly kind: "wasm" }
  | { readonly kind: "cpu" };

export type BackendKind = Backend["kind"];

/** A tensor as TensorFlow.js has it. */
export interface TfjsTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
  /** `bool` has one byte an element. */
  readonly dtype: "float32" | "int32" | "bool";
}

/** A run of the model whose `model.json` is at `path`. */
export interface RunRequest {
  readonly path: string;
  readonly inputs: readonly TfjsTensor[];
}

/** Engine to child. */
export interface ToTfjs extends RunRequest {
  readonly type: "run";
}

/** What became of a run, as far as the child could tell. */
export type RunAnswer =
  | { readonly type: "outputs"; readonly outputs: readonly TfjsTensor[] }
  /** The files are not what they must be, whatever the backend. */
  | { readonly type: "error"; readonly error: ErrorData }
  /** TensorFlow.js does not load the model (whatever the backend), or this backend does not run it. */
  | { readonly type: "refused"; readonly stage: "load" | "run"; readonly message: string };

/** Child to engine: first whether the backend works, then an answer to every run. */
export type FromTfjs =
  | { readonly type: "ready"; /** Of TensorFlow.js. */ readonly version: string }
  | { readonly type: "unusable"; readonly message: string }
  | RunAnswer;

/** Command-line arguments of the child. */
export interface TfjsArguments {
  /** Process id of the parent, which the child must not outlive. */
  readonly parent: number;
  readonly backend: Backend;
}

export function formatTfjsArguments({ parent, backend }: TfjsArguments): string[] {
  return [String(parent), JSON.stringify(backend)];
}

/** The inverse of {@link formatTfjsArguments}, for the arguments after the script's name. */
export function parseTfjsArguments(args: readonly string[]): TfjsArguments {
  return { parent: Number(args[0]), backend: JSON.parse(args[1] ?? "") as Backend };
}
