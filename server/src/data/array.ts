/** Arrays of numbers in memory, and their conversion to the element type that a model's input has. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { DType } from "../../protocol/model.js";
import { float16ToNumber, numberToFloat16 } from "../graph/float16.js";

const constructors = {
  float: Float32Array,
  double: Float64Array,
  /** The 16 bits of each element. */
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Element types that can be fed and read from files. */
export type NumericType = keyof typeof constructors;

type Made<T> = T extends abstract new (...args: never) => infer R ? R : never;

/** Elements of an array, one after the other in row-major order. */
export type Values = Made<(typeof constructors)[NumericType]>;

export interface DataArray {
  readonly dtype: NumericType;
  readonly shape: readonly number[];
  readonly values: Values;
}

/** Whether `dtype` can be fed: neither strings nor complex numbers nor types narrower than a byte. */
export function isNumeric(dtype: DType): dtype is NumericType {
  return Object.hasOwn(constructors, dtype);
}

/** Room for `length` elements, all 0. */
export function makeValues(dtype: NumericType, length: number): Values {
  return new constructors[dtype](length);
}

/** The elements that little-endian `bytes` hold. `bytes` must begin and end with its buffer. */
export function valuesOf(dtype: NumericType, bytes: Uint8Array<ArrayBuffer>): Values {
  return new constructors[dtype](bytes.buffer);
}

/** The bytes of an array's elements. */
export function bytesOf({ values }: DataArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const isFloat = (dtype: NumericType): boolean => dtype === "float" || dtype === "double" || dtype === "float16";

/** Smallest and largest element of each type that a number with a fraction, or one too large, must not be cut to. */
const limits: Readonly<Record<Exclude<NumericType, "float" | "double" | "float16">, readonly [number, number]>> = {
  bool: [0, 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  // The largest doubles inside the type.
  int64: [-(2 ** 63), 2 ** 63 - 1024],
  uint64: [0, 2 ** 64 - 2048],
};

/** Element i of `array` as a number. */
export function numberAt({ dtype, values }: DataArray, i: number): number {
  const value = values[i]!;
  return dtype === "float16" ? float16ToNumber(Number(value)) : Number(value);
}

/**
 * `array` in elements of type `to`: to floats always, to integers where every value is whole and in range.
 * @param label how the error calls the array.
 * @throws PruneScopeError `non-finite` for NaN and infinities, `shape-mismatch` for a value that does not fit.
 */
export function convert(array: DataArray, to: NumericType, label: string, file: string): DataArray {
  const { dtype, shape, values } = array;
  const floats = isFloat(dtype);
  if (dtype === to && !floats) return array;
  const same = dtype === to;
  const out = same ? values : makeValues(to, values.length);
  const big = out instanceof BigInt64Array || out instanceof BigUint64Array;
  const [low, high] = isFloat(to) ? [-Infinity, Infinity] : limits[to as keyof typeof limits];
  for (let i = 0; i < values.length; i++) {
    const number = numberAt(array, i);
    if (!Number.isFinite(number)) refuse("non-finite", `is ${number}; every value must be finite`, i);
    if (same) continue;
    if (low !== -Infinity && (number < low || number > high || !Number.isInteger(number)))
      refuse("shape-mismatch", `is ${number}, which the element type ${to} cannot hold`, i);
    if (big) out[i] = typeof values[i] === "bigint" ? (values[i] as bigint) : BigInt(number);
    else if (to === "float16") out[i] = numberToFloat16(number);
    else out[i] = number;
    if (low === -Infinity && !Number.isFinite(numberAt({ dtype: to, shape, values: out }, i)))
      refuse("non-finite", `is ${number}, which is beyond the element type ${to}`, i);
  }
  return { dtype: to, shape, values: out };

  function refuse(code: "non-finite" | "shape-mismatch", what: string, index: number): never {
    throw new PruneScopeError(code, `${label} cannot be used: element ${placeOf(index, shape)} ${what}.`, { file });
  }
}

/** Indices of element `index`, as Python writes them. */
function placeOf(index: number, shape: readonly number[]): string {
  const place: number[] = [];
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    place.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return `[${place.join(", ")}]`;
}
