/**
 * Names of files that a save makes on its way: they begin with a dot, name the target and the process, and nobody takes
 * them for models. So what a killed process left behind is known, and removed by the next save of the same target.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Longest name, in bytes, that leaves room for the rest of a temporary file's name; file systems stop at 255. */
const maxStem = 200;

/** What tells a target's temporary files from others': its name, or a hash of it where it is very long. */
function stemOf(target: string): string {
  const name = basename(target);
  return Buffer.byteLength(name) <= maxStem ? name : createHash("sha256").update(name).digest("hex").slice(0, 16);
}

type Ending = "tmp" | "journal";

/** Path beside `target`: `.TARGET.prunescope-PID-RANDOM.tmp`, or `.journal` for a list of what a save is renaming. */
export function temporaryPath(target: string, ending: Ending = "tmp"): string {
  const name = `.${stemOf(target)}.prunescope-${process.pid}-${randomBytes(4).toString("hex")}.${ending}`;
  return join(dirname(target), name);
}

const temporaryName = /^\.(.+)\.prunescope-(\d+)-[0-9a-f]{8}\.(tmp|journal)$/;

/** Whether `path` is a name that {@link temporaryPath} may have given for `target`. */
export function isTemporaryOf(path: string, target: string): boolean {
  return dirname(path) === dirname(target) && temporaryName.exec(basename(path))?.[1] === stemOf(target);
}

/** Files of this ending in `folder` whose process is gone, or is this one where `own` is set. */
export function abandoned(folder: string, ending: Ending, own = false): string[] {
  return readdirSync(folder).filter((name) => {
    const match = temporaryName.exec(name);
    if (match?.[3] !== ending) return false;
    const pid = Number(match[2]);
    return pid === process.pid ? own : !isAlive(pid);
  });
}

/** Removes what a killed process left behind while it wrote `target`. */
export function removeStale(target: string): void {
  const folder = dirname(target);
  for (const name of abandoned(folder, "tmp")) {
    const path = join(folder, name);
    if (isTemporaryOf(path, target)) rmSync(path, { force: true });
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
