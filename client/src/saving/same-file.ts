/** Whether two paths lead to the same file: through links, other spellings, or on file systems that ignore case. */
import { stat } from "node:fs/promises";

/** True when both exist and are one file. */
export async function sameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => null)));
  return first != null && second != null && first.dev === second.dev && first.ino === second.ino;
}
