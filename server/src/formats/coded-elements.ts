/**
 * Elements that TensorFlow.js stores as codes of 8 or 16 bits: w = code · scale + min, rounded to float32 once, as its
 * `decodeWeights` does. They need not have a code for 0: what is pruned gets the code that is nearest.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Coded, TensorRef } from "../graph/tensor.js";
import { blockBuffer } from "./block-buffer.js";
import type { StoredTensor } from "./element-codec.js";
import type { StoredElements } from "./stored-elements.js";

/** A quantisation by scale and minimum. */
export type AffineCodes = Coded & { readonly stored: "uint8" | "uint16" };

/** The quantisation of a tensor; null where its elements are numbers themselves, of whatever type. */
export function affineCodes({ encoding }: TensorRef): AffineCodes | null {
  return typeof encoding === "object" && encoding.stored !== "float16" ? (encoding as AffineCodes) : null;
}

/** The code whose number is nearest to 0, and that number: exactly 0 where the quantisation has it. */
export function codeNearestToZero({ stored, scale, min }: AffineCodes): {
  readonly code: number;
  readonly value: number;
} {
  const most = stored === "uint8" ? 255 : 65535;
  const zero = Math.round(-min / scale);
  // A scale of 0 has one number only.
  const code = Number.isNaN(zero) ? 0 : Math.min(most, Math.max(0, zero));
  return { code, value: Math.fround(code * scale + min) };
}

export class CodedElements implements StoredElements {
  readonly size: number;
  readonly zero: number;
  readonly #zeroCode: number;
  readonly #whole: boolean;

  /** @param codes the codes themselves, as elements of their own type. */
  constructor(
    private readonly weight: StoredTensor,
    private readonly codes: StoredElements,
    private readonly affine: AffineCodes,
  ) {
    const { code, value } = codeNearestToZero(affine);
    this.size = weight.size;
    this.#zeroCode = code;
    this.#whole = weight.tensor.dtype === "int32";
    this.zero = this.#whole ? Math.round(value) : value;
  }

  bytes(start: number, count: number): { readonly offset: number; readonly bytes: Uint8Array } {
    return this.codes.bytes(start, count);
  }

  read(start: number, count: number, out: Float32Array | Float64Array): void {
    this.#decode(this.bytes(start, count).bytes, count, out);
  }

  readExact(start: number, count: number, out: Float64Array): void {
    this.read(start, count, out);
  }

  clear(bytes: Uint8Array, _start: number, keep: Uint8Array): void {
    blockBuffer().release();
    const codes = this.#words(bytes);
    for (let i = 0; i < codes.length; i++) if (keep[i] === 0) codes[i] = this.#zeroCode;
  }

  write(): void {
    const { name, tensor } = this.weight;
    throw new PruneScopeError(
      "unsupported-op",
      `"${name}" is quantised to ${this.affine.stored}: its elements are codes, which hold no other numbers than they did.`,
      { file: tensor.path, value: name },
    );
  }

  countZeros(bytes: Uint8Array): number {
    const { length } = this.#words(bytes);
    const values = new Float32Array(length);
    this.#decode(bytes, length, values);
    let zeros = 0;
    for (let i = 0; i < length; i++) if (values[i] === this.zero) zeros++;
    return zeros;
  }

  #decode(bytes: Uint8Array, count: number, out: Float32Array | Float64Array): void {
    const codes = this.#words(bytes);
    const { scale, min } = this.affine;
    if (this.#whole) for (let i = 0; i < count; i++) out[i] = Math.round(codes[i]! * scale + min);
    else for (let i = 0; i < count; i++) out[i] = Math.fround(codes[i]! * scale + min);
  }

  /** Bytes, whose offset is a multiple of 8, as codes. */
  #words({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array | Uint16Array {
    return this.affine.stored === "uint8"
      ? new Uint8Array(buffer, byteOffset, byteLength)
      : new Uint16Array(buffer, byteOffset, byteLength / 2);
  }
}
