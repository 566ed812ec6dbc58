/**
 * Elements of test tensors: seeded numbers, and their encoding as little-endian bytes of every element type that a
 * weight can have. Written apart from the product's decoders, so that the two can be held against each other.
 */
import type { DType } from "../../server/protocol/model.js";
import { uniform } from "./arrays.js";

/** `count` standard normal numbers, by Box and Muller; the same for the same seed. */
export function normals(seed: number, count: number, scale = 1): number[] {
  const random = uniform(seed);
  return Array.from(
    { length: count },
    () => scale * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** `count` whole numbers in [low, high]. */
export function wholes(seed: number, count: number, low: number, high: number): number[] {
  const random = uniform(seed);
  return Array.from({ length: count }, () => low + Math.floor(random() * (high - low + 1)));
}

/** The bits of the float32 nearest to `value`. */
function float32Bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

/** The 16 bits of the IEEE half nearest to `value`, ties to even. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === Infinity) return sign | 0x7c00;
  const exponent = size === 0 ? -14 : Math.max(-14, Math.floor(Math.log2(size)));
  const units = size / 2 ** (exponent - 10);
  const floor = Math.floor(units);
  const rest = units - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // A subnormal has exponent field 0 and no implied bit; rounding up carries into the exponent by itself.
  const field = rounded < 1024 && exponent === -14 ? 0 : (exponent + 14) * 1024;
  return sign | Math.min(0x7c00, field + rounded);
}

/** The 16 bits of the bfloat16 nearest to `value`, ties to even. */
export function bfloat16Bits(value: number): number {
  const bits = float32Bits(value);
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Arrays of the types whose elements JavaScript can convert by itself; every machine that runs this is little-endian. */
const arrays = {
  double: Float64Array,
  float: Float32Array,
  int16: Int16Array,
  int32: Int32Array,
  int8: Int8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
} as const;

/** `values` as raw little-endian elements. */
export function rawBytes(dtype: DType, values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = (array: { readonly buffer: ArrayBuffer }): Uint8Array<ArrayBuffer> => new Uint8Array(array.buffer);
  switch (dtype) {
    case "bfloat16":
      return bytes(Uint16Array.from(values, bfloat16Bits));
    case "bool":
      return bytes(Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)));
    case "float16":
      return bytes(Uint16Array.from(values, float16Bits));
    case "int64":
    case "uint64":
      return bytes(BigInt64Array.from(Array.from(values, BigInt)));
    case "double":
    case "float":
    case "int16":
    case "int32":
    case "int8":
    case "uint16":
    case "uint32":
    case "uint8":
      return bytes(arrays[dtype].from(values));
    default:
      throw new Error(`test models have no ${dtype} elements`);
  }
}

/** What is left of `values` once they are stored as `dtype`: the numbers that a reader must give back. */
export function roundedTo(dtype: DType, values: ArrayLike<number>): number[] {
  return Array.from(values, (value) => {
    switch (dtype) {
      case "float":
        return Math.fround(value);
      case "float16":
        return float16Value(float16Bits(value));
      case "bfloat16":
        return new Float32Array(Uint32Array.of(bfloat16Bits(value) << 16).buffer)[0]!;
      default:
        return value;
    }
  });
}

/** The number of an IEEE half, from its definition. */
export function float16Value(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = Math.floor((bits % 0x8000) / 1024);
  const fraction = bits % 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? (sign * fraction) / 2 ** 24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
