/**
 * What can go wrong with a request to the analysis server, as the one error class that everything else handles: the
 * server's own errors carry `ErrorData`, all others are given a code and a sentence here.
 */
import { l10n } from "vscode";
import {
  errorCodes,
  fromErrorData,
  PruneScopeError,
  type ErrorCode,
  type ErrorData,
} from "../../../server/protocol/errors.js";

/** The server process went away while it worked on the request; it is being started again. */
export class ServerLost extends PruneScopeError {
  constructor() {
    super("engine-crash", l10n.t("The analysis server stopped and is being started again."));
  }
}

/** The person, or newer work on the same model, cancelled the request. */
export class Cancelled extends PruneScopeError {
  constructor() {
    super("cancelled", l10n.t("Cancelled."));
  }
}

/** For what arrives although it was cancelled meanwhile. @throws Cancelled */
export function refuseIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new Cancelled();
}

// JSON-RPC: RequestCancelled, ServerCancelled; and what vscode-jsonrpc reports when its connection has gone.
const cancelledCodes = new Set([-32800, -32802]);
const lostCodes = new Set([-32099, -32098, -32097, -32096]);

/** Turns anything that a request was rejected with into an error with a code and a sentence. */
export function requestError(error: unknown): PruneScopeError {
  if (error instanceof PruneScopeError) return error;
  const { code, data, name } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  if (isErrorData(data)) return data.code === "cancelled" ? new Cancelled() : fromErrorData(data);
  if (typeof code === "number" && cancelledCodes.has(code)) return new Cancelled();
  if ((typeof code === "number" && lostCodes.has(code)) || name === "ConnectionError") return new ServerLost();
  const said = error instanceof Error ? error.message : String(error);
  return new PruneScopeError("internal", said.split("\n", 1)[0] ?? said, {}, { cause: error });
}

/** Whether `input` is an error as it crosses a process boundary. */
export function isErrorData(input: unknown): input is ErrorData {
  if (typeof input !== "object" || input === null) return false;
  const { code, message, about } = input as Record<string, unknown>;
  return (
    errorCodes.includes(code as ErrorCode) && typeof message === "string" && typeof about === "object" && about !== null
  );
}

// What is wrong with the file or the request itself comes out the same the next time.
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "malformed-model",
  "unsupported-format",
  "unsupported-op",
  "missing-gradient",
  "shape-mismatch",
  "non-finite",
  "unsafe-path",
  "parity",
  "bad-request",
]);

/** Whether it makes sense to offer trying again without anything having changed. */
export function worthRetrying(code: ErrorCode): boolean {
  return !lasting.has(code);
}

/** Whether the file has changed since it was read. */
export function isStale(error: unknown): boolean {
  return error instanceof PruneScopeError && error.code === "changed-on-disk";
}
