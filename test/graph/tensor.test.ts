/** Laws of element types and shapes. */
import { TensorProto_DataType } from "onnx-buf";
import { expect, test } from "vitest";
import { byteLength, dtypeByCode, dtypeCode, elementCount, isFloat } from "../../server/src/graph/tensor.js";

test("element types have the numbers of onnx.proto", () => {
  const named = Object.entries(TensorProto_DataType).filter(([, code]) => typeof code === "number");
  for (const [name, code] of named) {
    if (name === "UNDEFINED") expect(dtypeByCode[Number(code)]).toBeNull();
    else expect(dtypeByCode[Number(code)], name).toBe(name.toLowerCase());
  }
});

test("a type's number leads back to it", () => {
  for (const dtype of dtypeByCode) if (dtype !== null) expect(dtypeByCode[dtypeCode(dtype)]).toBe(dtype);
  expect(dtypeCode("other")).toBe(0);
});

test("elements below a byte share bytes, and the last one is padded", () => {
  expect([0, 1, 2, 3].map((count) => byteLength("int4", count))).toEqual([0, 1, 1, 2]);
  expect([0, 1, 4, 5].map((count) => byteLength("uint2", count))).toEqual([0, 1, 1, 2]);
  expect(byteLength("complex128", 3)).toBe(48);
  expect(byteLength("string", 3)).toBeNull();
});

test("a scalar has one element, an axis of length 0 leaves none", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([3, 0, 5])).toBe(0);
  expect(elementCount([3, 4, 5])).toBe(60);
});

test("weights of four types have fractions", () => {
  expect(dtypeByCode.filter((dtype) => dtype !== null && isFloat(dtype))).toEqual([
    "float",
    "float16",
    "double",
    "bfloat16",
  ]);
});
