/**
 * A save that is cancelled at its very end may be done: the file has its name already, and only reading it back was cut
 * off. Then it is there, whole, and whoever cancelled has to know.
 */
import { stat } from "node:fs/promises";
import { requestError } from "../server/request-error.js";

/**
 * Does `save`. What it throws is thrown on; `written` is called before where that is a cancellation and another file than
 * before is at `target`.
 */
export async function tellingWhatIsThere<T>(target: string, save: () => Promise<T>, written: () => void): Promise<T> {
  const before = await identity(target);
  try {
    return await save();
  } catch (error) {
    if (requestError(error).code === "cancelled" && (await identity(target)) !== before) written();
    throw error;
  }
}

/** Which file is there, in which state; null where there is none: then a cancelled save leaves none either. */
async function identity(path: string): Promise<string | null> {
  try {
    const { ino, mtimeNs, size } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    return null;
  }
}
