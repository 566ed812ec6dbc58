/**
 * Elements of a weight as plain float32, whatever codes stand for them in the file: for models that are saved in another
 * format. What is pruned is exactly 0 there.
 */
import { blockElements } from "./block-buffer.js";
import { encode, type StoredTensor } from "./element-codec.js";
import type { StoredElements } from "./stored-elements.js";

export class DecodedElements implements StoredElements {
  readonly size: number;
  readonly zero = 0;
  readonly #block: Float32Array<ArrayBuffer>;

  /** @param stored elements of `tensor`, which decode to float. */
  constructor(
    private readonly tensor: StoredTensor,
    private readonly stored: StoredElements,
  ) {
    this.size = stored.size;
    this.#block = new Float32Array(Math.min(this.size, blockElements));
  }

  read(start: number, count: number, out: Float32Array): void {
    this.stored.read(start, count, out);
  }

  readExact(start: number, count: number, out: Float64Array): void {
    this.stored.readExact(start, count, out);
  }

  bytes(start: number, count: number): { readonly offset: number; readonly bytes: Uint8Array } {
    const block = this.#block.subarray(0, count);
    this.stored.read(start, count, block);
    return { offset: 4 * start, bytes: new Uint8Array(block.buffer, 0, 4 * count) };
  }

  clear(bytes: Uint8Array, _start: number, keep: Uint8Array): void {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (let i = 0; i < values.length; i++) if (keep[i] === 0) values[i] = 0;
  }

  write(bytes: Uint8Array, values: Float64Array): void {
    encode({ ...this.tensor, tensor: { ...this.tensor.tensor, dtype: "float", encoding: "raw" } }, bytes, values);
  }

  countZeros(bytes: Uint8Array, _start: number, count: number): number {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, count);
    let zeros = 0;
    for (let i = 0; i < count; i++) if (values[i] === 0) zeros++;
    return zeros;
  }
}
