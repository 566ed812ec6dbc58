// Makes the VSIX of one platform, on any machine: its files are laid out in a folder of their own under .cache/, with a
// manifest that names no dependencies (they are bundled, or already beside the bundles), and vsce packs that folder.

import { createVSIX } from "@vscode/vsce";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { contentsFor } from "./contents.js";
import type { Target } from "./targets.js";

/** A manifest of package.json's shape, as far as packing looks at it. */
export type Manifest = Readonly<Record<string, unknown>> & { readonly name: string; readonly version: string };

/** What only development needs. */
const DEVELOPMENT = new Set(["scripts", "dependencies", "devDependencies", "optionalDependencies"]);

/** The repository's manifest. */
export async function readManifest(root: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
}

/** The manifest that ships: the repository's without scripts and dependencies. */
export function shippedManifest(manifest: Manifest): Manifest {
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => !DEVELOPMENT.has(key))) as Manifest;
}

/**
 * Packs the built extension in `root` for a target and returns the path of `NAME-TARGET-VERSION.vsix` in `outFolder`.
 *
 * Throws when the extension has not been built. Runs may go on beside each other.
 */
export async function packExtension(root: string, target: Target, outFolder: string): Promise<string> {
  const files = await contentsFor(root, target);
  const manifest = await readManifest(root);
  const vsix = join(outFolder, `${manifest.name}-${target.name}-${manifest.version}.vsix`);
  await mkdir(outFolder, { recursive: true });
  await mkdir(join(root, ".cache", "package"), { recursive: true });
  const stage = await mkdtemp(join(root, ".cache", "package", `${target.name}-`));
  try {
    for (const { path, source } of files) {
      const copy = join(stage, path);
      await mkdir(dirname(copy), { recursive: true });
      await copyFile(source, copy);
    }
    await writeFile(join(stage, "package.json"), `${JSON.stringify(shippedManifest(manifest), null, 2)}\n`);
    // The folder is the allow-list. Told so, vsce neither asks npm what to pack nor recommends a list.
    await writeFile(join(stage, ".vscodeignore"), "");
    await createVSIX({ cwd: stage, target: target.name, packagePath: vsix, dependencies: false });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
  return vsix;
}
