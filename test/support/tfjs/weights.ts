/**
 * Weights of a TensorFlow.js model as its files hold them: little-endian elements one after the other, or the codes of
 * a quantisation, made by the rules of tfjs-converter's `quantization.py`.
 */
import { numberToFloat16 } from "../../../server/src/graph/float16.js";

/** Element types of a manifest. */
export type TfjsType = "float32" | "int32" | "bool" | "string" | "complex64";

/** How a weight's elements are stored where that is not as they are. */
export type Quantisation = "uint8" | "uint16" | "float16";

/** A weight of a test model. Elements of `complex64` are pairs: real part, imaginary part. */
export interface TfjsWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: TfjsType;
  readonly values: ArrayLike<number> | readonly string[];
}

/** A manifest's entry for a weight, and its bytes. */
export interface StoredWeight {
  readonly entry: ManifestEntry;
  readonly bytes: Uint8Array;
}

export interface ManifestEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: TfjsType;
  readonly quantization?: {
    readonly dtype: Quantisation;
    readonly original_dtype: TfjsType;
    readonly scale?: number;
    readonly min?: number;
  };
}

/** A float32 weight. */
export function weight(name: string, shape: readonly number[], values: ArrayLike<number>): TfjsWeight {
  return { name, shape, dtype: "float32", values };
}

/** An int32 weight: shapes, axes, indices. Its shape is one axis unless one is given; a number is a scalar. */
export function ints(name: string, values: number | readonly number[], shape?: readonly number[]): TfjsWeight {
  return typeof values === "number"
    ? { name, shape: shape ?? [], dtype: "int32", values: [values] }
    : { name, shape: shape ?? [values.length], dtype: "int32", values };
}

/** The weight as a file holds it. Only float32 and int32 are quantised, as by tfjs-converter. */
export function stored(given: TfjsWeight, quantisation: Quantisation | null): StoredWeight {
  const { name, dtype, values } = given;
  const shape = [...given.shape];
  if (dtype === "string") return { entry: { name, shape, dtype }, bytes: stringBytes(values as readonly string[]) };
  const numbers = values as ArrayLike<number>;
  if (quantisation === null || (dtype !== "float32" && (dtype !== "int32" || quantisation === "float16")))
    return { entry: { name, shape, dtype }, bytes: plainBytes(dtype, numbers) };
  if (quantisation === "float16") {
    const codes = Uint16Array.from(numbers, numberToFloat16);
    return {
      entry: { name, shape, dtype, quantization: { dtype: quantisation, original_dtype: dtype } },
      bytes: new Uint8Array(codes.buffer),
    };
  }
  const { codes, scale, min } = affine(numbers, quantisation);
  return {
    entry: { name, shape, dtype, quantization: { min, scale, dtype: quantisation, original_dtype: dtype } },
    bytes: new Uint8Array(codes.buffer),
  };
}

/** Codes 0…255 or 0…65535 with w ≈ code · scale + min, where 0 has a code of its own if it lies in the range. */
export function affine(
  values: ArrayLike<number>,
  quantisation: "uint8" | "uint16",
): { readonly codes: Uint8Array | Uint16Array; readonly scale: number; readonly min: number } {
  const most = quantisation === "uint8" ? 255 : 65535;
  const Codes = quantisation === "uint8" ? Uint8Array : Uint16Array;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  if (values.length === 0 || low === high)
    return { codes: new Codes(values.length), scale: 1, min: values.length === 0 ? 0 : low };
  const scale = (high - low) / most;
  const min = low <= 0 && high >= 0 ? -Math.round(-low / scale) * scale : low;
  const codes = new Codes(values.length);
  for (let i = 0; i < values.length; i++)
    codes[i] = Math.min(most, Math.max(0, Math.round((values[i]! - min) / scale)));
  return { codes, scale, min };
}

function plainBytes(dtype: Exclude<TfjsType, "string">, values: ArrayLike<number>): Uint8Array {
  switch (dtype) {
    case "int32":
      return new Uint8Array(Int32Array.from(values).buffer);
    case "bool":
      return Uint8Array.from(values);
    case "float32":
    case "complex64":
      return new Uint8Array(Float32Array.from(values).buffer);
  }
}

/** Each string behind its length in four bytes. */
function stringBytes(values: readonly string[]): Uint8Array {
  return Buffer.concat(
    values.map((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}
