/**
 * Writing a file so that it is there whole or not at all: a temporary file in the target's folder, fsync, rename. The
 * temporary file's name says whose it is, so that one left behind by a kill is removed by the next save there.
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";

/** Name of a temporary file: `.TARGET.prunescope-PID-RANDOM.tmp`. */
const temporaryName = (target: string): string =>
  `.${basename(target)}.prunescope-${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
const temporaryPattern = /^\.(.+)\.prunescope-(\d+)-[0-9a-f]{8}\.tmp$/;

/** Removes what a killed process left behind while it wrote `target`. */
export function removeStale(target: string): void {
  const folder = dirname(target);
  for (const name of readdirSync(folder)) {
    const match = temporaryPattern.exec(name);
    if (match?.[1] === basename(target) && !isAlive(Number(match[2]))) rmSync(join(folder, name), { force: true });
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

/** A file under construction. Bytes are appended; nothing shows under the target's name before {@link commit}. */
export class AtomicFile {
  readonly temporary: string;
  readonly #target: string;
  #fd: number | null;
  #written = 0;

  /** @throws PruneScopeError `write-failed` when the folder cannot be written to or the target is a folder. */
  constructor(target: string) {
    this.#target = target;
    this.temporary = join(dirname(target), temporaryName(target));
    this.#fd = this.#attempt(() => {
      if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error("it is a folder");
      removeStale(target);
      return openSync(this.temporary, "wx");
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
  }

  /** Makes the file durable and gives it its name. */
  commit(): void {
    const fd = this.#open();
    this.#attempt(() => {
      fsyncSync(fd);
      closeSync(fd);
      this.#fd = null;
      const before = statSync(this.#target, { throwIfNoEntry: false });
      if (before !== undefined) chmodSync(this.temporary, before.mode & 0o777);
      renameSync(this.temporary, this.#target);
      if (process.platform !== "win32") {
        const folder = openSync(dirname(this.#target), "r");
        fsyncSync(folder);
        closeSync(folder);
      }
    });
  }

  /** Removes what was written, unless it was committed. */
  discard(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    rmSync(this.temporary, { force: true });
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
      this.discardQuietly();
      throw new PruneScopeError(
        "write-failed",
        `${this.#target} was not saved: ${why}. Nothing was changed.`,
        { file: this.#target },
        { cause: error },
      );
    }
  }

  /** Clean-up on the way out of a failure, whose own failure must not hide the first. */
  private discardQuietly(): void {
    try {
      this.discard();
    } catch {
      // The temporary file stays; the next save to this target removes it.
    }
  }
}
