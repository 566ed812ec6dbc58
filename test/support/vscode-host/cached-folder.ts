// Folders that are expensive to fill and are kept between runs, in ~/.cache/prunescope-test (or
// PRUNESCOPE_TEST_CACHE). A folder is filled beside its place and renamed into it when complete, so an
// interrupted run leaves nothing half-filled behind, and of two runs that start at once one wins.

import { randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const MARKER = "complete.json";
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** The folder that holds everything tests keep between runs. */
export function cacheRoot(): string {
  const override = process.env["PRUNESCOPE_TEST_CACHE"];
  return override ? resolve(override) : join(homedir(), ".cache", "prunescope-test");
}

/**
 * The path of `<cache>/<name>`, filled by `fill(temporaryFolder)` unless it is already complete.
 *
 * `stamp` says what the content was made from (versions, hashes): a folder with another stamp is replaced.
 * What `fill` throws is passed on, and the temporary folder is removed.
 */
export async function cachedFolder(
  name: string,
  stamp: Readonly<Record<string, string>>,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const wanted = JSON.stringify(stamp, null, 2) + "\n";
  const place = join(cacheRoot(), name);
  if ((await marker(place)) === wanted) return place;

  await mkdir(cacheRoot(), { recursive: true });
  await removeAbandoned(name);
  const temporary = join(cacheRoot(), `.${name}.partial-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    await mkdir(temporary);
    await fill(temporary);
    await writeFile(join(temporary, MARKER), wanted);
    await moveIntoPlace(temporary, place, wanted);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return place;
}

/** Renames `temporary` to `place`, unless another run has put the same content there in the meantime. */
async function moveIntoPlace(temporary: string, place: string, wanted: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      await rename(temporary, place);
      return;
    } catch (error) {
      if (!isCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    }
    if ((await marker(place)) === wanted) return;
    // What is there was made from something else: take it away under a name of our own, then try again.
    const outdated = `${temporary}-outdated`;
    try {
      await rename(place, outdated);
    } catch (error) {
      if (!isCode(error, "ENOENT")) throw error;
    }
    await rm(outdated, { recursive: true, force: true });
  }
  throw new Error(`Other runs keep replacing ${place}: wait until they have finished and run this again.`);
}

/** The text of the folder's marker file; undefined when there is none. */
async function marker(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, MARKER), "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Removes temporary folders of runs that were killed a day ago or earlier. */
async function removeAbandoned(name: string): Promise<void> {
  for (const entry of await readdir(cacheRoot())) {
    if (!entry.startsWith(`.${name}.partial-`)) continue;
    const path = join(cacheRoot(), entry);
    const age = await stat(path).then(
      (s) => Date.now() - s.mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
