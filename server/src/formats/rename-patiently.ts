/**
 * Renaming by the rules of the platform. Windows refuses it as long as anybody has the file open, and virus scanners and
 * indexers open every new file for a moment: it is tried again with growing waits. Elsewhere a refusal is final.
 */
import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** Milliseconds before each further attempt: two and a half seconds in all. */
const waits: readonly number[] = [10, 20, 40, 80, 160, 320, 640, 1280];

const passing: ReadonlySet<string | undefined> = new Set(["EACCES", "EBUSY", "EPERM"]);

/** Renames a file over whatever has the name. @throws the operating system's error. */
export async function renamePatiently(from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const pause = waits[attempt];
      const { code } = error as NodeJS.ErrnoException;
      if (process.platform !== "win32" || pause === undefined || !passing.has(code)) throw error;
      await wait(pause);
    }
  }
}

/** Makes renames durable where folders can be synced; files have their names either way. */
export function syncFolder(folder: string): void {
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
