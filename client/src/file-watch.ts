/**
 * Watches the file of an open model.
 *
 * What it does: listens to VS Code's file events for this one file, outside the workspace too, and looks at it by
 * itself when asked (`look`, when a view is shown again: network drives send no events). Events only say that
 * something happened; `source/settling.ts` decides when the file has stopped changing.
 * What gates it: an open model. What the user sees: a banner, then the new model.
 */
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { RelativePattern, workspace, type Uri } from "vscode";
import { globLiteral } from "./source/glob-literal.js";
import { SettlingFile, type FileState, type SettlingListener } from "./source/settling.js";

export interface FileWatch {
  /** Looks at the file now. */
  look(): void;
  dispose(): void;
}

/** Watches `uri` until disposed of. */
export function watchFile(uri: Uri, listener: SettlingListener): FileWatch {
  const settling = new SettlingFile(
    {
      state: () => fileState(uri),
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    },
    listener,
  );
  const look = (): void => {
    void settling.touch();
  };
  const folder = uri.with({ path: posix.dirname(uri.path) });
  const watcher = workspace.createFileSystemWatcher(new RelativePattern(folder, globLiteral(posix.basename(uri.path))));
  watcher.onDidChange(look);
  watcher.onDidCreate(look);
  watcher.onDidDelete(look);
  look();
  return {
    look,
    dispose: () => {
      settling.dispose();
      watcher.dispose();
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
