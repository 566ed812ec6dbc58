// Whatever a request is rejected with becomes an error with a code and one sentence.

import { describe, expect, it, vi } from "vitest";
import {
  Cancelled,
  isErrorData,
  requestError,
  ServerLost,
  worthRetrying,
} from "../../client/src/server/request-error.js";
import { PruneScopeError, toErrorData } from "../../server/protocol/errors.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

const response = (code: number, message: string, data?: unknown): Error =>
  Object.assign(new Error(message), { code, data });

describe("requestError", () => {
  it("takes over the server's own errors", () => {
    const data = { code: "malformed-model", message: "m.onnx is cut off at byte 7.", about: { offset: 7 } } as const;
    expect(toErrorData(requestError(response(-32803, data.message, data)))).toEqual(data);
  });

  it("knows cancelling and a lost connection", () => {
    const cancelled = { code: "cancelled", message: "x", about: {} };
    expect(requestError(response(-32800, "x"))).toBeInstanceOf(Cancelled);
    expect(requestError(response(-32800, "x", cancelled))).toBeInstanceOf(Cancelled);
    expect(requestError(response(-32097, "Pending response rejected"))).toBeInstanceOf(ServerLost);
    expect(requestError(Object.assign(new Error("closed"), { name: "ConnectionError" }))).toBeInstanceOf(ServerLost);
  });

  it("keeps its own, and shows one line of others", () => {
    const own = new PruneScopeError("non-finite", "Layer a holds NaN.");
    expect(requestError(own)).toBe(own);
    expect(toErrorData(requestError(new TypeError("a\n    at b")))).toEqual({
      code: "internal",
      message: "a",
      about: {},
    });
    expect(toErrorData(requestError("odd"))).toEqual({ code: "internal", message: "odd", about: {} });
    expect(toErrorData(requestError(null)).code).toBe("internal");
  });
});

it("does not take other objects for error data", () => {
  for (const input of [null, 1, "x", {}, { code: "nope", message: "", about: {} }, { code: "internal", message: 1 }]) {
    expect(isErrorData(input)).toBe(false);
  }
});

it("offers to try again what may come out differently", () => {
  expect(worthRetrying("engine-crash")).toBe(true);
  expect(worthRetrying("out-of-memory")).toBe(true);
  expect(worthRetrying("malformed-model")).toBe(false);
});
