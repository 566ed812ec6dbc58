/**
 * Finished results on disk, by content-derived key: least recently used out. A result is written, whole or not at all,
 * before it is announced, so a kill loses only the job that was running.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";

const extension = ".result";
const numbersExtension = ".numbers";

export class ResultCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Files that this object wrote or read: they are in use, and stay whatever their size. */
  readonly #used = new Set<string>();

  /** @param folder made when it is missing; @param maxMegabytes size above which the least recently used results go. */
  constructor(folder: string, maxMegabytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxMegabytes * 1e6;
  }

  /** The result under `key`, or null. What cannot be read is as good as absent. */
  get(key: string): unknown {
    const path = this.#path(key, extension);
    try {
      const value: unknown = deserialize(readFileSync(path));
      this.#use(path);
      return value;
    } catch {
      return null;
    }
  }

  /** Stores a result. A cache that cannot be written is no reason to fail the work. @returns whether it was stored. */
  put(key: string, value: unknown): boolean {
    return this.#write(this.#path(key, extension), [serialize(value)]);
  }

  /** Stores float32 numbers under `key`, beside whatever {@link put} stored there. @returns whether they were stored. */
  putNumbers(key: string, blocks: Iterable<Float32Array>): boolean {
    return this.#write(this.#path(key, numbersExtension), blocks);
  }

  /** Reads the numbers from `start` on into an array; null when there are not `count` of them under `key`. */
  numbers(key: string, count: number): ((start: number, out: Float32Array) => void) | null {
    const path = this.#path(key, numbersExtension);
    if (statSync(path, { throwIfNoEntry: false })?.size !== count * Float32Array.BYTES_PER_ELEMENT) return null;
    this.#use(path);
    return (start, out) => {
      // Opened for each block: nothing is left open by a job that ends early, and a block is large.
      const file = openSync(path, "r");
      try {
        const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
        const read = readSync(file, bytes, 0, bytes.length, start * Float32Array.BYTES_PER_ELEMENT);
        if (read !== bytes.length) throw new Error(`${path} is cut off`);
      } finally {
        closeSync(file);
      }
    };
  }

  /** Writes a file as a whole, or not at all. */
  #write(path: string, blocks: Iterable<NodeJS.ArrayBufferView>): boolean {
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      mkdirSync(this.#folder, { recursive: true });
      const file = openSync(temporary, "w");
      try {
        for (const block of blocks) writeSync(file, block);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
      this.#use(path);
      this.#evict();
      return true;
    } catch {
      if (existsSync(temporary)) rmSync(temporary, { force: true });
      return false;
    }
  }

  #use(path: string): void {
    this.#used.add(path);
    const now = new Date();
    utimesSync(path, now, now);
  }

  #evict(): void {
    const entries = readdirSync(this.#folder)
      .filter((name) => name.endsWith(extension) || name.endsWith(numbersExtension))
      .flatMap((name) => {
        const path = join(this.#folder, name);
        // Another engine may have removed it.
        const found = statSync(path, { throwIfNoEntry: false });
        return found === undefined
          ? []
          : [{ path, size: found.size, mtimeMs: found.mtimeMs, used: this.#used.has(path) }];
      })
      // What is in use takes its place first, whatever the clock says: two files may have the same time.
      .sort((a, b) => Number(b.used) - Number(a.used) || b.mtimeMs - a.mtimeMs);
    let total = 0;
    for (const { path, size, used } of entries) {
      total += size;
      if (total > this.#maxBytes && !used) rmSync(path, { force: true });
    }
  }

  #path(key: string, end: string): string {
    return join(this.#folder, key + end);
  }
}
