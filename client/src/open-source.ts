/**
 * Where the server finds the bytes of a model that was opened by URI.
 *
 * What it does: a `file:` is read in place. Any other scheme (`git:` in a diff, a virtual file system) is known to VS
 * Code only, so the file is copied into a private temporary folder, once, and again after it has changed.
 * What gates it: copies are made up to 200 MB, the only case in which this process holds a model's bytes.
 * What the user sees: nothing, or a sentence when the file is too large to be copied.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { l10n, Uri, workspace } from "vscode";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { Cancelled } from "./server/request-error.js";

/** Most bytes that are copied. */
export const largestCopy = 200 * 1024 * 1024;

export interface ModelSource {
  /** Path of a file with the model's bytes; `fresh` when they have changed since the last call. */
  path(fresh: boolean, signal: AbortSignal): Promise<string>;
  /** Removes what was copied. */
  dispose(): Promise<void>;
}

/** The source behind `uri`; nothing is read yet. */
export function openSource(uri: Uri): ModelSource {
  if (uri.scheme === "file") {
    return { path: () => Promise.resolve(uri.fsPath), dispose: () => Promise.resolve() };
  }
  let copy: Promise<string> | null = null;
  const forget = async (): Promise<void> => {
    const old = copy;
    copy = null;
    const path = await old?.catch(() => null);
    if (typeof path === "string") await rm(join(path, ".."), { recursive: true, force: true });
  };
  return {
    path: async (fresh, signal) => {
      if (fresh) await forget();
      if (signal.aborted) throw new Cancelled();
      // A copy that failed is tried again the next time.
      copy ??= copyOf(uri).catch((error: unknown) => {
        copy = null;
        throw error;
      });
      return copy;
    },
    dispose: forget,
  };
}

async function copyOf(uri: Uri): Promise<string> {
  const name = basename(uri.path);
  const tooLarge = (): never => {
    throw new PruneScopeError(
      "bad-request",
      l10n.t(
        "{0} is not a file on this machine ({1}) and larger than 200 MB, so it is not copied; save it to a folder and open it there.",
        name,
        `${uri.scheme}:`,
      ),
      { file: uri.toString(true) },
    );
  };
  try {
    if ((await workspace.fs.stat(uri)).size > largestCopy) tooLarge();
    const bytes = await workspace.fs.readFile(uri);
    if (bytes.byteLength > largestCopy) tooLarge();
    const path = join(await mkdtemp(join(tmpdir(), "prunescope-")), safeName(name));
    await writeFile(path, bytes, { mode: 0o600 });
    return path;
  } catch (error) {
    if (error instanceof PruneScopeError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new PruneScopeError("missing-data", l10n.t("{0} could not be read: {1}", name, said), {}, { cause: error });
  }
}

/** A file name that every platform can have; the extension stays, for it tells the format. */
function safeName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]/gu, "_").slice(-100) || "model.onnx";
}
