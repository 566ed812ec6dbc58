/**
 * Block-wise access to the elements of a stored weight: as float32 or float64 numbers for scoring, and as bytes in
 * place for masking. One class per way in which elements lie in a file.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Constant } from "../graph/graph.js";
import { byteLength, elementCount, isFloat, storedType } from "../graph/tensor.js";
import { blockBuffer, blockElements } from "./block-buffer.js";
import { affineCodes, CodedElements } from "./coded-elements.js";
import { affineCode, decode, encode, type StoredTensor } from "./element-codec.js";
import type { Source } from "./source.js";

export { blockElements };

/** One number per element of a weight, readable in blocks, in the order in which the elements are stored. */
export interface NumberField {
  readonly size: number;
  /** Numbers of the elements [start, start + count), count at most {@link blockElements}. */
  read(start: number, count: number, out: Float32Array): void;
}

/** The numbers of an array. */
export function arrayField(values: Float32Array): NumberField {
  return {
    size: values.length,
    read: (start, count, out) => {
      out.set(values.subarray(start, start + count));
    },
  };
}

/** Reads and masks the elements of one weight. Blocks may have any start and at most {@link blockElements} elements. */
export interface StoredElements extends NumberField {
  /** What a cleared element reads as: 0, or the number nearest to it that the tensor's codes have. */
  readonly zero: number;
  /** Elements as float32 (rounded where they are float64), dequantised where they are integers or codes. */
  read(start: number, count: number, out: Float32Array): void;
  /** The same as exact float64. */
  readExact(start: number, count: number, out: Float64Array): void;
  /** The file's bytes of the block: valid until the next call. */
  bytes(start: number, count: number): { readonly offset: number; readonly bytes: Uint8Array };
  /** Overwrites in `bytes` every element whose `keep` is 0 with what decodes to {@link zero}. */
  clear(bytes: Uint8Array, start: number, keep: Uint8Array): void;
  /**
   * Overwrites the elements in `bytes` with `values`, rounded to the nearest that their type has (ties to even).
   * @throws PruneScopeError `unsupported-op` for integers, codes and varints, `non-finite` where the type cannot hold a value.
   */
  write(bytes: Uint8Array, values: Float64Array): void;
  /** Number of elements in `bytes` that are as cleared ones are: they decode to {@link zero}. */
  countZeros(bytes: Uint8Array, start: number, count: number): number;
}

/** Opens the elements of a constant that is no weight (a bias, say); null where they are no numbers in a file. */
export function storedConstant(source: Source, { name, tensor, sparse }: Constant): StoredElements | null {
  if (tensor.path === "" || sparse !== null || !isFloat(tensor.dtype)) return null;
  const { shape } = tensor;
  return storedElements(source, { id: name, name, tensor, size: elementCount(shape), shape, dequantisation: null });
}

/** Opens the elements of `weight`, whose files `source` has open. */
export function storedElements(source: Source, weight: StoredTensor): StoredElements {
  const { encoding } = weight.tensor;
  if (encoding === "varint") return new VarintElements(source, weight);
  if (encoding === "raw") return new RawElements(source, weight);
  const tensor = { ...weight.tensor, dtype: storedType(weight.tensor), encoding: "raw" } as const;
  const stored = new RawElements(source, { ...weight, tensor });
  const affine = affineCodes(weight.tensor);
  return affine === null ? stored : new CodedElements(weight, stored, affine);
}

/** Whether a stored pattern of 16 bits is +0 or −0. */
const isZero16 = (bits: number): boolean => (bits & 0x7fff) === 0;

class RawElements implements StoredElements {
  readonly size: number;
  readonly zero = 0;
  readonly #bytesPerElement: number;

  constructor(
    readonly source: Source,
    readonly weight: StoredTensor,
  ) {
    this.size = weight.size;
    this.#bytesPerElement = byteLength(weight.tensor.dtype, 1) ?? 1;
  }

  bytes(start: number, count: number): { offset: number; bytes: Uint8Array } {
    const { path, offset } = this.weight.tensor;
    const at = offset + start * this.#bytesPerElement;
    const length = count * this.#bytesPerElement;
    const held = blockBuffer().held(this, start, count, length);
    if (held !== null) return { offset: at, bytes: held };
    const bytes = blockBuffer().take(this, start, count, length);
    this.source.read(path, at, bytes);
    return { offset: at, bytes };
  }

  read(start: number, count: number, out: Float32Array): void {
    const held = blockBuffer().held(this, start, count, 4 * count);
    if (this.weight.tensor.dtype === "float" && held === null) {
      // Straight into the caller's block: no copy, and no question of alignment.
      const { path, offset } = this.weight.tensor;
      this.source.read(path, offset + 4 * start, new Uint8Array(out.buffer, out.byteOffset, 4 * count));
    } else decode(this.source, this.weight, this.bytes(start, count).bytes, start, count, out);
  }

  readExact(start: number, count: number, out: Float64Array): void {
    decode(this.source, this.weight, this.bytes(start, count).bytes, start, count, out);
  }

  clear(bytes: Uint8Array, start: number, keep: Uint8Array): void {
    const count = bytes.byteLength / this.#bytesPerElement;
    const { buffer, byteOffset } = bytes;
    blockBuffer().release();
    switch (this.#bytesPerElement) {
      case 1: {
        const { zeroPoint, inner } = affineCode(this.source, this.weight);
        const channels = zeroPoint.length;
        for (let i = 0; i < count; i++) {
          if (keep[i] === 0) bytes[i] = zeroPoint[channels === 1 ? 0 : Math.floor((start + i) / inner) % channels]!;
        }
        return;
      }
      case 2: {
        const view = new Uint16Array(buffer, byteOffset, count);
        for (let i = 0; i < count; i++) if (keep[i] === 0) view[i] = 0;
        return;
      }
      case 4: {
        const view = new Int32Array(buffer, byteOffset, count);
        for (let i = 0; i < count; i++) view[i] = view[i]! & -keep[i]!;
        return;
      }
      default: {
        const view = new BigUint64Array(buffer, byteOffset, count);
        for (let i = 0; i < count; i++) if (keep[i] === 0) view[i] = 0n;
      }
    }
  }

  write(bytes: Uint8Array, values: Float64Array): void {
    blockBuffer().release();
    encode(this.weight, bytes, values);
  }

  countZeros(bytes: Uint8Array, start: number, count: number): number {
    const { buffer, byteOffset } = bytes;
    let zeros = 0;
    if (this.weight.tensor.dtype === "float") {
      // Without a branch: 0 − 1 is the only difference here whose top bit is set.
      const view = new Int32Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) zeros += ((view[i]! & 0x7fffffff) - 1) >>> 31;
    } else {
      const values = new Float64Array(count);
      decode(this.source, this.weight, bytes, start, count, values);
      for (let i = 0; i < count; i++) if (values[i] === 0) zeros++;
    }
    return zeros;
  }
}

/**
 * float16 and bfloat16 elements in protobuf's `int32_data`: one varint each, of one to three bytes. A cleared element
 * keeps its length (0x80 0x80 0x00 is a zero of three bytes), so that no other byte of the file moves.
 */
class VarintElements implements StoredElements {
  readonly size: number;
  readonly zero = 0;
  /** Byte offset of every block's first element, relative to the payload, and of its end. */
  readonly #blocks: number[] = [0];
  readonly #scratch: Uint8Array;
  readonly #decoded: Uint16Array;

  constructor(
    readonly source: Source,
    readonly weight: StoredTensor,
  ) {
    this.size = weight.size;
    const { path, offset, length } = weight.tensor;
    const chunk = new Uint8Array(Math.min(length, 1 << 20));
    let elements = 0;
    for (let at = 0; at < length; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, length - at));
      source.read(path, offset + at, part);
      for (let i = 0; i < part.length; i++) {
        if (part[i]! < 0x80 && ++elements % blockElements === 0) this.#blocks.push(at + i + 1);
      }
    }
    if (elements !== this.size) {
      throw new PruneScopeError(
        "malformed-model",
        `Tensor "${weight.name}" has ${this.size} elements by its shape, but ${elements} are stored.`,
        {
          file: path,
          value: weight.name,
          offset,
        },
      );
    }
    if (elements % blockElements !== 0) this.#blocks.push(length);
    const widest = this.#blocks.reduce((most, end, i) => Math.max(most, end - (this.#blocks[i - 1] ?? 0)), 0);
    this.#scratch = new Uint8Array(widest);
    this.#decoded = new Uint16Array(Math.min(this.size, blockElements));
  }

  bytes(start: number): { offset: number; bytes: Uint8Array } {
    const block = start / blockElements;
    const from = this.#blocks[block];
    const to = this.#blocks[block + 1];
    if (from === undefined || to === undefined) throw new RangeError("varint elements are read in whole blocks");
    const bytes = this.#scratch.subarray(0, to - from);
    this.source.read(this.weight.tensor.path, this.weight.tensor.offset + from, bytes);
    return { offset: this.weight.tensor.offset + from, bytes };
  }

  #decode(bytes: Uint8Array): Uint16Array {
    let element = 0;
    let shift = 0;
    let value = 0;
    for (let i = 0; i < bytes.length; i++) {
      // Only 16 bits matter; a varint may be longer than it needs to be.
      if (shift < 21) value |= (bytes[i]! & 0x7f) << shift;
      shift += 7;
      if (bytes[i]! < 0x80) {
        this.#decoded[element++] = value;
        value = shift = 0;
      }
    }
    return this.#decoded.subarray(0, element);
  }

  read(start: number, count: number, out: Float32Array | Float64Array): void {
    // Any range is decoded from the whole blocks that it touches.
    for (let done = 0; done < count;) {
      const from = (start + done) % blockElements;
      const part = Math.min(count - done, blockElements - from);
      const bits = this.#decode(this.bytes(start + done - from).bytes).subarray(from, from + part);
      const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
      decode(this.source, this.weight, bytes, start + done, part, out.subarray(done, done + part));
      done += part;
    }
  }

  readExact(start: number, count: number, out: Float64Array): void {
    this.read(start, count, out);
  }

  clear(bytes: Uint8Array, _start: number, keep: Uint8Array): void {
    for (let i = 0, element = 0; i < bytes.length; i++) {
      const last = bytes[i]! < 0x80;
      if (keep[element] === 0) bytes[i] = last ? 0x00 : 0x80;
      if (last) element++;
    }
  }

  write(): void {
    const { name, tensor } = this.weight;
    throw new PruneScopeError(
      "unsupported-op",
      `"${name}" stores its ${tensor.dtype} elements as varints, whose length would change: convert the model to raw data.`,
      { file: tensor.path, value: name },
    );
  }

  countZeros(bytes: Uint8Array): number {
    let zeros = 0;
    for (const bits of this.#decode(bytes)) if (isZero16(bits)) zeros++;
    return zeros;
  }
}
