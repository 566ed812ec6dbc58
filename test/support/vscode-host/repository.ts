// Where the repository is. Code run by run-ts.mjs is bundled into .cache/ first, so `import.meta` and
// `__dirname` would name the bundle; the folder that npm and vitest start in is the dependable anchor.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The absolute path of the repository: the nearest folder at or above the working folder whose package.json is PruneScope's. */
export function repositoryRoot(): string {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && /"name":\s*"prunescope"/.test(readFileSync(manifest, "utf8"))) return folder;
    if (folder === dirname(folder)) {
      throw new Error(`${process.cwd()} is not inside the PruneScope repository: change into it and run this again.`);
    }
  }
}

/** A folder for generated files, inside the ignored `.cache/` of the repository: `.cache/<name>`. */
export function generatedFolder(name: string): string {
  return join(repositoryRoot(), ".cache", name);
}
