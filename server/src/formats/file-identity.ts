/** What is the same for one file under all its names, links included. */
import { statSync } from "node:fs";

/** Device and inode of the file at `path`; null where there is none. */
export function identityOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
