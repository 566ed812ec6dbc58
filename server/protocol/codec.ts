/**
 * Typed arrays across process boundaries. JSON-RPC would send a typed array as an object keyed by index, so every
 * array travels as base64 of its little-endian bytes through this one codec.
 */

export type ArrayKind = "f32" | "f64" | "u16" | "u32";

/** A typed array as JSON: element kind and base64 of the little-endian bytes. */
export interface EncodedArray<K extends ArrayKind = ArrayKind> {
  readonly kind: K;
  readonly base64: string;
}

interface ArrayOf {
  f32: Float32Array<ArrayBuffer>;
  f64: Float64Array<ArrayBuffer>;
  u16: Uint16Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
}

const constructors = { f32: Float32Array, f64: Float64Array, u16: Uint16Array, u32: Uint32Array } as const;

/** Encodes `array`. Every platform that VS Code runs on is little-endian. */
export function encodeArray<K extends ArrayKind>(kind: K, array: ArrayOf[K]): EncodedArray<K> {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return { kind, base64: btoa(binary) };
}

/** Decodes what {@link encodeArray} made. @throws RangeError when the byte count is no multiple of the element size. */
export function decodeArray<K extends ArrayKind>(encoded: EncodedArray<K>): ArrayOf[K] {
  const binary = atob(encoded.base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new constructors[encoded.kind](bytes.buffer) as ArrayOf[K];
}
