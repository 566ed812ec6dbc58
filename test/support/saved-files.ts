/** What saves that were cut off leave in a folder: files by final names, leftovers, and whether the two are told apart. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Hashes of files by their path in a folder. */
export type Files = Readonly<Record<string, string>>;

export function filesIn(folder: string): Files {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(found.map((file) => [relative(folder, file), hashOf(readFileSync(file))]));
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/** Names that a save gives to files that are none of the person's. */
const leftover = /(^|[/\\])\.[^/\\]+\.prunescope-\d+-[0-9a-f]{8}\.(tmp|journal)$/;

/** The files without leftovers. */
export const finalNames = (files: Files): Files =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !leftover.test(name)));

export const same = (a: Files, b: Files): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * What is wrong with a folder in which `before` was being replaced by `after`, or null: every file of a final name is
 * whole, of one of the two, and where there is a model, all are of its version.
 */
export function mixture(files: Files, before: Files, after: Files, model: string): string | null {
  const final = finalNames(files);
  for (const [name, hash] of Object.entries(final))
    if (before[name] !== hash && after[name] !== hash) return `${name} is neither what it was nor what it should be`;
  if (!(model in final)) return null;
  const sound = [before, after].some((version) => model in version && same(version, final));
  return sound ? null : `${model} lies beside data of another version: ${Object.keys(final).join(", ")}`;
}
