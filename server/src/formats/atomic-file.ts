/**
 * Writing a file so that it is there whole or not at all: a temporary file in the target's folder, fsync, rename. The
 * temporary file's name says whose it is, so that one left behind by a kill is removed by the next save there.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fdatasync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";

/** Longest name, in bytes, that leaves room for the rest of a temporary file's name; file systems stop at 255. */
const maxStem = 200;

/** What tells a target's temporary files from others': its name, or a hash of it where it is very long. */
function stemOf(target: string): string {
  const name = basename(target);
  return Buffer.byteLength(name) <= maxStem ? name : createHash("sha256").update(name).digest("hex").slice(0, 16);
}

/** Name of a temporary file: `.TARGET.prunescope-PID-RANDOM.tmp`. */
const temporaryName = (target: string): string =>
  `.${stemOf(target)}.prunescope-${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
const temporaryPattern = /^\.(.+)\.prunescope-(\d+)-[0-9a-f]{8}\.tmp$/;

/** Removes what a killed process left behind while it wrote `target`. */
export function removeStale(target: string): void {
  const folder = dirname(target);
  for (const name of readdirSync(folder)) {
    const match = temporaryPattern.exec(name);
    if (match?.[1] === stemOf(target) && !isAlive(Number(match[2]))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Bytes between two requests to the disk to start writing. */
const flushBytes = 1 << 26;

/**
 * A file under construction. Bytes are appended; nothing shows under the target's name before {@link commit}. Whoever
 * does not commit must {@link discard}.
 */
export class AtomicFile {
  readonly temporary: string;
  readonly #target: string;
  #fd: number | null = null;
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
  constructor(target: string, makeFolder = false) {
    this.#target = target;
    this.temporary = join(dirname(target), temporaryName(target));
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

  /** Makes the file durable and gives it its name. */
  async commit(): Promise<void> {
    const fd = this.#open();
    await this.#flushing;
    this.#attempt(() => {
      if (this.#flushError !== null) throw this.#flushError;
      fsyncSync(fd);
      closeSync(fd);
      this.#fd = null;
      const before = statSync(this.#target, { throwIfNoEntry: false });
      if (before !== undefined) chmodSync(this.temporary, before.mode & 0o777);
      renameSync(this.temporary, this.#target);
    });
    this.#madeFolder = undefined;
    syncFolder(dirname(this.#target));
  }

  /** Removes what was written, unless it was committed. */
  async discard(): Promise<void> {
    // A handle must not be closed, and its number reused, under a flush.
    await this.#flushing;
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    rmSync(this.temporary, { force: true });
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
      const { code, message } = error as NodeJS.ErrnoException;
      const why =
        code === "ENOSPC"
          ? "the disk is full"
          : code === "EACCES" || code === "EPERM" || code === "EROFS"
            ? "the folder or file may not be written to"
            : code === "ENOENT"
              ? "the folder does not exist"
              : message;
      throw new PruneScopeError(
        "write-failed",
        `${this.#target} was not saved: ${why}. Nothing was changed.`,
        { file: this.#target },
        { cause: error },
      );
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

/** Makes a rename durable where folders can be synced; the file has its name either way. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  try {
    const fd = openSync(folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Some network file systems refuse it.
  }
}
