/** The one place where an error becomes an LSP response: a JSON-RPC code, the message, and our `ErrorData` as data. */
import { ErrorCodes, LSPErrorCodes, ResponseError } from "vscode-languageserver/node";
import { toErrorData, type ErrorCode, type ErrorData } from "../../protocol/errors.js";

/** Turns anything thrown into a response; clients read `data` and need the JSON-RPC code for nothing. */
export function toResponseError(error: unknown): ResponseError<ErrorData> {
  const data = toErrorData(error);
  return new ResponseError(jsonRpcCode(data.code), data.message, data);
}

function jsonRpcCode(code: ErrorCode): number {
  switch (code) {
    case "cancelled":
      return LSPErrorCodes.RequestCancelled;
    case "bad-request":
      return ErrorCodes.InvalidParams;
    case "internal":
      return ErrorCodes.InternalError;
    default:
      return LSPErrorCodes.RequestFailed;
  }
}
