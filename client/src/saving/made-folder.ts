/** A folder for what is saved into it: made where there is none, and gone again where nothing was saved. */
import { mkdir, rmdir } from "node:fs/promises";
import { dirname } from "node:path";

/** Does `work` with `folder` there. What `work` throws is thrown on, after the folders that were made are removed. */
export async function inMadeFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const first = await mkdir(folder, { recursive: true });
  try {
    return await work();
  } catch (error) {
    if (first !== undefined) await removeEmpty(folder, first);
    throw error;
  }
}

/** Removes `folder` and those around it up to `first`, as long as they are empty. */
async function removeEmpty(folder: string, first: string): Promise<void> {
  try {
    for (let next = folder; next.startsWith(first); next = dirname(next)) await rmdir(next);
  } catch {
    // Someone has put something there.
  }
}
