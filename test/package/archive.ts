// A VSIX as tests look at it: the names and texts in it, and the whole of it unpacked into a folder.

import JSZip from "jszip";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface Archive {
  /** The names of its files, sorted. */
  readonly names: readonly string[];
  /** The text of one file. Throws when there is none of that name. */
  text(name: string): Promise<string>;
  /** Writes every file below a folder. */
  unpackInto(folder: string): Promise<void>;
}

/** Reads a VSIX, which is a ZIP archive, into memory. */
export async function openArchive(path: string): Promise<Archive> {
  const zip = await JSZip.loadAsync(await readFile(path));
  const files = Object.values(zip.files).filter((file) => !file.dir);
  return {
    names: files.map(({ name }) => name).sort(),
    text: async (name) => {
      const file = zip.file(name);
      if (!file) throw new Error(`${path} holds no ${name}.`);
      return file.async("string");
    },
    unpackInto: async (folder) => {
      for (const file of files) {
        const target = join(folder, file.name);
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, await file.async("nodebuffer"));
      }
    },
  };
}
