/** Errors of ONNX Runtime, in sentences for people. */
import { expect, test } from "vitest";
import { runtimeError } from "../../server/src/runtime/session.js";

test("what ONNX Runtime says ends like a sentence, however it ends", () => {
  const start = "ONNX Runtime does not run this model: ";
  expect(runtimeError(new Error("Bad\n  node")).message).toBe(`${start}Bad node.`);
  expect(runtimeError(new Error("It is so.")).message).toBe(`${start}It is so.`);
});

test("a name of any length in it does not make a message of any length", () => {
  const { message } = runtimeError(new Error(`No such node: ${"n".repeat(20_000)}`));
  expect(message.length).toBeLessThan(1100);
  expect(message).toMatch(/n…$/);
});
