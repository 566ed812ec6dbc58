// Runs inside a real VS Code (mocha): models that are no files on disk are opened through a temporary copy, which goes
// with the last view; larger ones are not read at all.

import assert from "node:assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import { eventually, modelTab, viewType } from "./waiting.js";

const scheme = "prunescope-test";

/** A read-only file system that serves the same bytes under every path and says they are as many as it is told. */
class OneFile implements vscode.FileSystemProvider {
  reads = 0;
  size: number;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.#changed.event;

  constructor(private readonly bytes: Uint8Array) {
    this.size = bytes.byteLength;
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }
  stat(uri: vscode.Uri): vscode.FileStat {
    const type = uri.path.endsWith(".onnx") ? vscode.FileType.File : vscode.FileType.Directory;
    return { type, ctime: 0, mtime: 1, size: this.size };
  }
  readFile(): Uint8Array {
    this.reads++;
    return this.bytes;
  }
  readDirectory(): [string, vscode.FileType][] {
    return [];
  }
  createDirectory(): never {
    throw vscode.FileSystemError.NoPermissions();
  }
  writeFile(): never {
    throw vscode.FileSystemError.NoPermissions();
  }
  delete(): never {
    throw vscode.FileSystemError.NoPermissions();
  }
  rename(): never {
    throw vscode.FileSystemError.NoPermissions();
  }
}

/** Temporary copies of a file of this name. */
function copies(name: string): string[] {
  return readdirSync(tmpdir())
    .filter((folder) => folder.startsWith("prunescope-"))
    .map((folder) => join(tmpdir(), folder, name))
    .filter((path) => existsSync(path));
}

describe("a model that is no file on disk", () => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  assert(folder !== undefined, "The suite needs a workspace folder.");
  const bytes = readFileSync(vscode.Uri.joinPath(folder, "tiny.onnx").fsPath);
  const files = new OneFile(bytes);
  let registration: vscode.Disposable;

  before(() => {
    registration = vscode.workspace.registerFileSystemProvider(scheme, files, { isReadonly: true });
  });

  after(async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    registration.dispose();
  });

  it("is copied, and the copy goes with its view", async () => {
    const name = `virtual-${process.pid}.onnx`;
    const uri = vscode.Uri.from({ scheme, path: `/folder/${name}` });
    await vscode.commands.executeCommand("vscode.openWith", uri, viewType);
    await eventually("A tab", () => modelTab(uri));
    const copy = await eventually("A copy", () => copies(name)[0] ?? null);
    await eventually("The whole copy", () => (readFileSync(copy).equals(bytes) ? true : null));
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
    await eventually("The end of the copy", () => (existsSync(copy) ? null : true));
    assert.equal(copies(name).length, 0);
  });

  it("is not read when it is larger than 200 MB", async () => {
    files.size = 200 * 1024 * 1024 + 1;
    files.reads = 0;
    const name = `large-${process.pid}.onnx`;
    const uri = vscode.Uri.from({ scheme, path: `/folder/${name}` });
    await vscode.commands.executeCommand("vscode.openWith", uri, viewType);
    await eventually("A tab", () => modelTab(uri));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(files.reads, 0);
    assert.deepEqual(copies(name), []);
  });
});
