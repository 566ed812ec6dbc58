/**
 * The one error that PruneScope raises on purpose: a code that scripts can rely on, and what it is about.
 * Everything else that is thrown is a defect and is reported as `internal`.
 */

/** Stable error codes; they appear in the CLI's stderr, in LSP error data and in the view. */
export const errorCodes = [
  "malformed-model",
  "unsupported-format",
  "unsupported-op",
  "missing-gradient",
  "shape-mismatch",
  "missing-data",
  "non-finite",
  "unsafe-path",
  "bad-request",
  "changed-on-disk",
  "write-failed",
  "out-of-memory",
  "parity",
  "engine-crash",
  "cancelled",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** What an error is about: each field is filled where it is known. */
export interface ErrorSubject {
  /** Absolute path of the file. */
  readonly file?: string;
  /** Node name, or its first output when it has no name. */
  readonly node?: string;
  /** Operator type, with its domain when that is not ONNX's own. */
  readonly operator?: string;
  /** Version of the operator set that the model imports for the operator's domain. */
  readonly opset?: number;
  /** Name of a value, tensor or layer. */
  readonly value?: string;
  /** Byte offset in the file. */
  readonly offset?: number;
}

/** The form in which an error crosses a process boundary. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly about: ErrorSubject;
}

/** An error with a code, a sentence that says what happened and what to do, and its subject. */
export class PruneScopeError extends Error {
  override readonly name = "PruneScopeError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly about: ErrorSubject = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Turns anything thrown into data that can be sent; unknown errors become `internal` with their message. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof PruneScopeError) return { code: error.code, message: error.message, about: error.about };
  return { code: "internal", message: error instanceof Error ? error.message : String(error), about: {} };
}

/** The inverse of {@link toErrorData}. */
export function fromErrorData(data: ErrorData): PruneScopeError {
  return new PruneScopeError(data.code, data.message, data.about);
}

/** One line for people: the message, then file, node and offset where they are known and not yet said. */
export function describeError(data: ErrorData): string {
  const { file, node, operator, opset, value, offset } = data.about;
  const places: string[] = [];
  const add = (label: string, text: string | undefined): void => {
    if (text !== undefined && text !== "" && !data.message.includes(text)) places.push(`${label} ${text}`);
  };
  add("file", file);
  add("node", node);
  add("operator", operator === undefined ? undefined : opset === undefined ? operator : `${operator} (opset ${opset})`);
  add("tensor", value);
  if (offset !== undefined && !data.message.includes("byte ")) places.push(`byte ${offset}`);
  return places.length === 0 ? data.message : `${data.message} (${places.join(", ")})`;
}
