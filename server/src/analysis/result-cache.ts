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
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";

const extension = ".result";
const numbersExtension = ".numbers";

export class ResultCache {
  readonly #folder: string;
  readonly #maxBytes: number;

  /** @param folder made when it is missing; @param maxMegabytes size above which the least recently used results go. */
  constructor(folder: string, maxMegabytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxMegabytes * 1e6;
  }

  /** The result under `key`, or null. What cannot be read is as good as absent. */
  get(key: string): unknown {
    const path = this.#path(key);
    try {
      const value: unknown = deserialize(readFileSync(path));
      const now = new Date();
      utimesSync(path, now, now);
      return value;
    } catch {
      return null;
    }
  }

  /** Stores a result. A cache that cannot be written is no reason to fail the work. @returns whether it was stored. */
  put(key: string, value: unknown): boolean {
    try {
      mkdirSync(this.#folder, { recursive: true });
      const temporary = `${this.#path(key)}.${process.pid}.tmp`;
      writeFileSync(temporary, serialize(value));
      renameSync(temporary, this.#path(key));
      this.#evict();
      return true;
    } catch {
      return false;
    }
  }

  /** Stores float32 numbers under `key`, beside whatever {@link put} stored there. @returns whether they were stored. */
  putNumbers(key: string, blocks: Iterable<Float32Array>): boolean {
    try {
      mkdirSync(this.#folder, { recursive: true });
      const temporary = `${this.#numbersPath(key)}.${process.pid}.tmp`;
      const file = openSync(temporary, "w");
      try {
        for (const { buffer, byteOffset, byteLength } of blocks)
          writeSync(file, new Uint8Array(buffer, byteOffset, byteLength));
      } finally {
        closeSync(file);
      }
      renameSync(temporary, this.#numbersPath(key));
      this.#evict();
      return true;
    } catch {
      return false;
    }
  }

  /** Reads the numbers from `start` on into an array, or null when there are none under `key`. */
  numbers(key: string): ((start: number, out: Float32Array) => void) | null {
    const path = this.#numbersPath(key);
    if (!existsSync(path)) return null;
    const now = new Date();
    utimesSync(path, now, now);
    return (start, out) => {
      // Opened for each block: nothing is left open by a job that ends early, and a block is large.
      const file = openSync(path, "r");
      try {
        const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
        if (readSync(file, bytes, 0, bytes.length, 4 * start) !== bytes.length) throw new Error(`${path} is cut off`);
      } finally {
        closeSync(file);
      }
    };
  }

  #evict(): void {
    const entries = readdirSync(this.#folder)
      .filter((name) => name.endsWith(extension) || name.endsWith(numbersExtension))
      .map((name) => {
        const path = join(this.#folder, name);
        const { size, mtimeMs } = statSync(path);
        return { path, size, mtimeMs };
      })
      .sort((a, b) => b.mtimeMs - a.mtimeMs);
    let total = 0;
    // The newest stay whatever their size: they are the ones in use, numbers and what belongs to them.
    entries.forEach(({ path, size }, i) => {
      total += size;
      if (i > 2 && total > this.#maxBytes) rmSync(path, { force: true });
    });
  }

  #numbersPath(key: string): string {
    return join(this.#folder, key + numbersExtension);
  }

  #path(key: string): string {
    return join(this.#folder, key + extension);
  }
}
