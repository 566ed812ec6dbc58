/**
 * Watches the files of an open model.
 *
 * What it does: listens to VS Code's file events for the model's own file, outside the workspace too, and for those
 * that hold its weights, and looks at them by itself when asked (`look`, when a view is shown again: network drives
 * send no events). Events only say that something happened; `source/settling.ts` decides when it has stopped.
 * What gates it: an open model. What the user sees: a banner, then the new model.
 */
import { stat } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { RelativePattern, Uri, workspace } from "vscode";
import { globLiteral } from "./source/glob-literal.js";
import { SettlingFile, sumOf, type FileState, type SettlingListener, type SettlingPorts } from "./source/settling.js";

export interface FileWatch {
  /** Looks at the files now. */
  look(): void;
  dispose(): void;
}

/** Watches `uri` until disposed of. */
export function watchFile(uri: Uri, listener: SettlingListener): FileWatch {
  const folder = uri.with({ path: posix.dirname(uri.path) });
  const pattern = new RelativePattern(folder, globLiteral(posix.basename(uri.path)));
  return watch([pattern], () => fileState(uri), listener);
}

/** Watches files of this machine together until disposed of: they are one thing that changes, and is never deleted. */
export function watchTogether(paths: readonly string[], listener: SettlingListener): FileWatch {
  // There can be hundreds of them, in few folders; an event of another file there costs a look.
  const folders = [...new Set(paths.map((path) => dirname(path)))];
  return watch(
    folders.map((folder) => new RelativePattern(Uri.file(folder), "*")),
    async () => sumOf(await Promise.all(paths.map((path) => fileState(Uri.file(path))))),
    listener,
  );
}

function watch(
  patterns: readonly RelativePattern[],
  state: SettlingPorts["state"],
  listener: SettlingListener,
): FileWatch {
  const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const settling = new SettlingFile({ state, wait }, listener);
  const look = (): void => {
    void settling.touch();
  };
  const watchers = patterns.map((pattern) => workspace.createFileSystemWatcher(pattern));
  for (const watcher of watchers) {
    watcher.onDidChange(look);
    watcher.onDidCreate(look);
    watcher.onDidDelete(look);
  }
  look();
  return {
    look,
    dispose: () => {
      settling.dispose();
      for (const watcher of watchers) watcher.dispose();
    },
  };
}

async function fileState(uri: Uri): Promise<FileState | null> {
  try {
    if (uri.scheme === "file") {
      const { size, mtimeMs, ino } = await stat(uri.fsPath);
      return { size, changed: mtimeMs, identity: ino };
    }
    const { size, mtime } = await workspace.fs.stat(uri);
    return { size, changed: mtime, identity: 0 };
  } catch {
    return null;
  }
}
