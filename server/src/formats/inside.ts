/** Whether one path lies in another, by the rules of a platform. */
import native, { type PlatformPath } from "node:path";

/** Whether `path` is `folder` or lies in it. Both are absolute and free of links. */
export function isInside(folder: string, path: string, rules: PlatformPath = native): boolean {
  const way = rules.relative(folder, path);
  return !rules.isAbsolute(way) && way !== ".." && !way.startsWith(`..${rules.sep}`);
}
