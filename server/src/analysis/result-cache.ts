/**
 * Finished results on disk, by content-derived key: least recently used out. A result is written, whole or not at all,
 * before it is announced, so a kill loses only the job that was running.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";

const extension = ".result";

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

  #evict(): void {
    const entries = readdirSync(this.#folder)
      .filter((name) => name.endsWith(extension))
      .map((name) => {
        const path = join(this.#folder, name);
        const { size, mtimeMs } = statSync(path);
        return { path, size, mtimeMs };
      })
      .sort((a, b) => b.mtimeMs - a.mtimeMs);
    let total = 0;
    // The newest stays whatever its size: it is the one in use.
    entries.forEach(({ path, size }, i) => {
      total += size;
      if (i > 0 && total > this.#maxBytes) rmSync(path, { force: true });
    });
  }

  #path(key: string): string {
    return join(this.#folder, key + extension);
  }
}
