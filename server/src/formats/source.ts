/**
 * The files of one model, open for reading by range. Nothing here loads a file whole; handles stay open while a job
 * runs, so that what is read and what is fingerprinted is one and the same file.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import { finishInterrupted } from "./commit-together.js";

interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly size: number;
}

/** Part of a joined file: bytes of a file that is open, which begin at `start` of the joined one. */
export interface JoinedPart {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

/** Bytes at each end of a file that enter its fingerprint. */
const fingerprintEdge = 64 * 1024;

export class Source {
  readonly #files = new Map<string, OpenFile>();
  readonly #joined = new Map<string, readonly JoinedPart[]>();
  /** The file that the person opened. */
  readonly main: string;

  /** @throws PruneScopeError `missing-data` when the file cannot be opened, `malformed-model` when it is no file. */
  constructor(path: string) {
    this.main = path;
    // A save that was killed in the middle of replacing the model is finished first.
    if (!existsSync(path)) finishInterrupted(dirname(path));
    this.add(path);
  }

  /** Opens one more file of the model. */
  add(path: string): void {
    if (this.#files.has(path)) return;
    let fd: number;
    try {
      // A pipe would block on open, so look first.
      if (!statSync(path).isFile())
        throw new PruneScopeError("malformed-model", `${path} is not a regular file.`, { file: path });
      fd = openSync(path, "r");
    } catch (error) {
      if (error instanceof PruneScopeError) throw error;
      const reason =
        (error as NodeJS.ErrnoException).code === "ENOENT"
          ? "does not exist"
          : `cannot be read: ${(error as Error).message}`;
      throw new PruneScopeError("missing-data", `${path} ${reason}.`, { file: path }, { cause: error });
    }
    this.#files.set(path, { path, fd, size: fstatSync(fd).size });
  }

  /**
   * Makes files that are open readable as one, under a name that is no path: each of them whole, one after the other.
   * A tensor that begins in one file and ends in the next is one range there.
   */
  join(name: string, paths: readonly string[]): void {
    let start = 0;
    const parts = paths.map((path) => {
      const { size: length } = this.#file(path);
      const part = { path, start, length };
      start += length;
      return part;
    });
    this.#joined.set(name, parts);
  }

  /** Which files stand behind a name that was joined; the file itself for a path. */
  partsOf(name: string): readonly JoinedPart[] {
    return this.#joined.get(name) ?? [{ path: name, start: 0, length: this.#file(name).size }];
  }

  /** Paths of all files, the main file first. */
  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Names of all that is read as a whole: paths, and in the place of those that were joined, behind them, what they make. */
  get wholes(): readonly string[] {
    const joined = new Set([...this.#joined.values()].flatMap((parts) => parts.map(({ path }) => path)));
    return [...this.paths.filter((path) => !joined.has(path)), ...this.#joined.keys()];
  }

  /** Bytes of one file, or of all. */
  size(path?: string): number {
    if (path !== undefined) return this.partsOf(path).reduce((sum, { length }) => sum + length, 0);
    let total = 0;
    for (const file of this.#files.values()) total += file.size;
    return total;
  }

  /** Fills `target` with the bytes of `path` from `offset` on. @throws PruneScopeError `changed-on-disk` when the file ends before. */
  read(path: string, offset: number, target: Uint8Array): void {
    const parts = this.#joined.get(path);
    if (parts !== undefined) {
      const end = offset + target.byteLength;
      for (const { path: file, start, length } of parts) {
        const from = Math.max(offset, start);
        const to = Math.min(end, start + length);
        if (from < to) this.read(file, from - start, target.subarray(from - offset, to - offset));
      }
      return;
    }
    const { fd } = this.#file(path);
    for (let done = 0; done < target.byteLength;) {
      const count = readSync(fd, target, done, target.byteLength - done, offset + done);
      if (count === 0) {
        throw new PruneScopeError(
          "changed-on-disk",
          `${path} ends at byte ${offset + done}: it was shortened while it was read.`,
          { file: path },
        );
      }
      done += count;
    }
  }

  /**
   * Identity of the files' content: size, mtime, inode, and a hash of head and tail of each. Taken from the open
   * handles; a file that was replaced by a rename shows up because its path now leads elsewhere.
   */
  fingerprint(): string {
    const hash = createHash("sha256");
    const edge = new Uint8Array(fingerprintEdge);
    for (const { path, fd } of this.#files.values()) {
      const { size, mtimeNs, ino } = fstatSync(fd, { bigint: true });
      let inode: bigint | null = null;
      try {
        inode = statSync(path, { bigint: true }).ino;
      } catch {
        // Gone from its path: another identity than while it was there.
      }
      hash.update(`${size} ${mtimeNs} ${ino} ${inode}\n`);
      const head = edge.subarray(0, Number(size < BigInt(fingerprintEdge) ? size : BigInt(fingerprintEdge)));
      this.#tolerantRead(fd, 0, head, hash);
      this.#tolerantRead(fd, Math.max(0, Number(size) - fingerprintEdge), head, hash);
    }
    return hash.digest("hex").slice(0, 32);
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #file(path: string): OpenFile {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`${path} is not open`);
    return file;
  }

  #tolerantRead(fd: number, offset: number, target: Uint8Array, hash: ReturnType<typeof createHash>): void {
    // A file may shrink under us; whatever is there then makes another fingerprint, which is all that is wanted.
    const count = target.byteLength === 0 ? 0 : readSync(fd, target, 0, target.byteLength, offset);
    hash.update(target.subarray(0, count));
  }
}
