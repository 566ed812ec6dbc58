/**
 * Writing a file so that it is there whole or not at all: a temporary file in the target's folder, fsync, rename. The
 * temporary file's name says whose it is, so that one left behind by a kill is removed by the next save there.
 */
import {
  chmodSync,
  closeSync,
  fdatasync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { renamePatiently, syncFolder } from "./rename-patiently.js";
import { removeStale, temporaryPath } from "./temporary-names.js";
import { writeFailure } from "./write-failure.js";

/** Bytes between two requests to the disk to start writing. */
const flushBytes = 1 << 26;

/**
 * A file under construction. Bytes are appended; nothing shows under the target's name before {@link commit}. Whoever
 * does not commit must {@link discard}.
 */
export class AtomicFile {
  readonly temporary: string;
  #fd: number | null = null;
  #finished = false;
  #left = false;
  #written = 0;
  #flushed = 0;
  #flushing: Promise<void> | null = null;
  #flushError: Error | null = null;
  /** First of the folders that were made for the target. */
  #madeFolder: string | undefined;

  /**
   * @param makeFolder makes the target's folder where there is none.
   * @throws PruneScopeError `write-failed` when the folder cannot be written to or the target is a folder.
   */
  constructor(
    readonly target: string,
    makeFolder = false,
  ) {
    this.temporary = temporaryPath(target);
    this.#fd = this.#attempt(() => {
      if (makeFolder) this.#madeFolder = mkdirSync(dirname(target), { recursive: true });
      try {
        if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error("it is a folder");
        removeStale(target);
        return openSync(this.temporary, "wx");
      } catch (error) {
        this.#removeMadeFolders();
        throw error;
      }
    });
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#written;
  }

  append(bytes: Uint8Array): void {
    const fd = this.#open();
    this.#attempt(() => {
      for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done, bytes.byteLength - done);
    });
    this.#written += bytes.byteLength;
    if (this.#flushing === null && this.#written - this.#flushed >= flushBytes) {
      // The disk works while the next bytes are made. An error is told once per handle: it is kept for the commit.
      this.#flushed = this.#written;
      this.#flushing = new Promise((done) => {
        fdatasync(fd, (error) => {
          this.#flushError ??= error;
          this.#flushing = null;
          done();
        });
      });
    }
  }

  /** Makes the bytes durable under the temporary name; nothing can be appended any more. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    const fd = this.#open();
    await this.#flushing;
    this.#attempt(() => {
      if (this.#flushError !== null) throw this.#flushError;
      fsyncSync(fd);
      // Given up first: a handle is closed once, whatever closing says.
      this.#fd = null;
      closeSync(fd);
      const before = statSync(this.target, { throwIfNoEntry: false });
      if (before !== undefined && process.platform !== "win32") chmodSync(this.temporary, before.mode & 0o777);
    });
    this.#finished = true;
  }

  /** Makes the file durable and gives it its name. */
  async commit(): Promise<void> {
    await this.finish();
    try {
      await renamePatiently(this.temporary, this.target);
    } catch (error) {
      throw writeFailure(this.target, error);
    }
    this.leave();
    syncFolder(dirname(this.target));
  }

  /** What was written is somebody else's now, under whatever name: {@link discard} leaves it. */
  leave(): void {
    this.#left = true;
  }

  /** Removes what was written, unless it was committed. */
  async discard(): Promise<void> {
    if (this.#left) return;
    // A handle must not be closed, and its number reused, under a flush.
    await this.#flushing;
    const fd = this.#fd;
    this.#fd = null;
    try {
      if (fd !== null) closeSync(fd);
      rmSync(this.temporary, { force: true });
    } catch {
      // Why the save failed matters more; the file's name says what it is.
    }
    this.#removeMadeFolders();
  }

  #removeMadeFolders(): void {
    if (this.#madeFolder !== undefined) removeEmptyFolders(dirname(this.temporary), this.#madeFolder);
  }

  #open(): number {
    if (this.#fd === null) throw new Error(`${this.temporary} is closed`);
    return this.#fd;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw writeFailure(this.target, error);
    }
  }
}

/** Removes `folder` and those around it, up to `first`, as long as they are empty. */
function removeEmptyFolders(folder: string, first: string): void {
  try {
    for (let next = folder; next.startsWith(first); next = dirname(next)) rmdirSync(next);
  } catch {
    // Someone else has put something there.
  }
}
