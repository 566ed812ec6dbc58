/**
 * Where a tensor lies and what its elements are. The graph never holds weight bytes: a TensorRef names a range of a
 * file, and passes over weights read that range block by block.
 */
import type { DType } from "../../protocol/model.js";

/** Bits of one element; null where elements have no fixed size. */
const bitsOf: Readonly<Record<DType, number | null>> = {
  float: 32,
  double: 64,
  float16: 16,
  bfloat16: 16,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  bool: 8,
  string: null,
  complex64: 64,
  complex128: 128,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
  uint4: 4,
  int4: 4,
  uint2: 2,
  int2: 2,
  other: null,
};

/**
 * Numbers that are stored as codes of another type: w = code · scale + min, and of float16 the number itself (scale 1,
 * min 0). TensorFlow.js quantises weights so.
 */
export interface Coded {
  readonly stored: "uint8" | "uint16" | "float16";
  readonly scale: number;
  readonly min: number;
}

/**
 * A tensor's place in a file.
 * `encoding` is `raw` for contiguous little-endian elements, `varint` for protobuf's `int32_data`, which holds 16-bit and
 * smaller elements as one varint each, and else says what codes stand for the elements; `dtype` is what they decode to.
 */
export interface TensorRef {
  /**
   * Absolute path of the file that holds the elements, or the name of several that are read as one (`Source.join`);
   * empty when they only exist in memory (`inline`).
   */
  readonly path: string;
  /** Byte offset of the first element. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly encoding: "raw" | "varint" | Coded;
}

/** Most axes of a tensor; real ones have up to eight. */
export const maxRank = 64;

/** Elements of a tensor of this shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
}

/** Bytes of `count` elements packed one after the other, or null for element types without a fixed size. */
export function byteLength(dtype: DType, count: number): number | null {
  const bits = bitsOf[dtype];
  return bits === null ? null : Math.ceil((count * bits) / 8);
}

/** What lies in the file for each element: a number of the tensor's type, or a code of another one. */
export function storedType({ dtype, encoding }: TensorRef): DType {
  return typeof encoding === "object" ? encoding.stored : dtype;
}

/** Whether elements are codes of few numbers, so that none can be given any other: float16 rounds, and is no such code. */
export function holdsCodes({ encoding }: TensorRef): boolean {
  return typeof encoding === "object" && encoding.stored !== "float16";
}

/** Whether elements are real numbers with a fraction: the types that trained weights have. */
export function isFloat(dtype: DType): boolean {
  return dtype === "float" || dtype === "double" || dtype === "float16" || dtype === "bfloat16";
}

/** Identity of a tensor's storage: two constants that share it are tied. */
export function storageKey(tensor: TensorRef): string {
  return `${tensor.path}\n${tensor.offset}\n${tensor.length}`;
}

/** Element types by their number in onnx.proto's TensorProto.DataType. */
export const dtypeByCode: readonly (DType | null)[] = [
  null,
  "float",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "double",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
  "float8e4m3fn",
  "float8e4m3fnuz",
  "float8e5m2",
  "float8e5m2fnuz",
  "uint4",
  "int4",
  "float4e2m1",
  "float8e8m0",
  "uint2",
  "int2",
];

/** ONNX's number of an element type. */
export function dtypeCode(dtype: DType): number {
  return Math.max(0, dtypeByCode.indexOf(dtype));
}
