/** The one block of bytes that elements of files are read into, whoever reads them. */

/** Elements handled at a time: 256 kB of float32, which stays in the processor's cache between two loops. */
export const blockElements = 1 << 16;

/**
 * One block of the widest elements. It is shared, because a block's bytes are valid until the next call only, and knows
 * what it holds, so that a block that was read as bytes to be edited is not read again to be scored.
 */
class BlockBuffer {
  readonly #buffer = new Uint8Array(8 * blockElements);
  #owner: object | null = null;
  #start = 0;
  #count = 0;

  /** Room for `length` bytes of the block of `owner`. */
  take(owner: object, start: number, count: number, length: number): Uint8Array {
    this.#owner = owner;
    this.#start = start;
    this.#count = count;
    return this.#buffer.subarray(0, length);
  }

  /** The bytes, when they are those of this very block; null when they are others', or were edited. */
  held(owner: object, start: number, count: number, length: number): Uint8Array | null {
    const same = this.#owner === owner && this.#start === start && this.#count === count;
    return same ? this.#buffer.subarray(0, length) : null;
  }

  /** Forgets what it holds: the bytes were edited. */
  release(): void {
    this.#owner = null;
  }
}

let shared: BlockBuffer | undefined;

/** The buffer, made on first use. */
export const blockBuffer = (): BlockBuffer => (shared ??= new BlockBuffer());
