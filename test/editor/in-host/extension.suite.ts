// Runs inside a real VS Code (mocha): the extension as other extensions and the person's commands see it. The workspace
// folder holds `tiny.onnx`.

import assert from "node:assert";
import { access, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import { eventually, modelTab, viewType, webviewTab } from "./waiting.js";

describe("PruneScope in VS Code", () => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  assert(folder !== undefined, "The suite needs a workspace folder.");
  const tiny = vscode.Uri.joinPath(folder, "tiny.onnx");
  const pruned = join(folder.fsPath, "tiny.magnitude-90.onnx");

  before(async () => {
    await rm(pruned, { force: true });
  });

  after(async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  });

  it("registers what it declares", async () => {
    const extension = vscode.extensions.getExtension("prunescope.prunescope");
    assert(extension !== undefined);
    await extension.activate();
    const manifest = extension.packageJSON as { contributes: { commands: { command: string }[] } };
    const registered = await vscode.commands.getCommands(true);
    for (const { command } of manifest.contributes.commands) assert(registered.includes(command), command);
  });

  it("is the editor of .onnx files", async () => {
    await vscode.commands.executeCommand("vscode.open", tiny);
    const tab = await eventually("The model's tab", () => modelTab(tiny));
    assert.equal(tab.isDirty, false);
    assert.equal(tab.isActive, true);
  });

  it("opens one model in two groups", async () => {
    await vscode.commands.executeCommand("vscode.openWith", tiny, viewType, vscode.ViewColumn.Beside);
    await eventually("A second group", () => (vscode.window.tabGroups.all.length === 2 ? true : null));
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
    assert.notEqual(modelTab(tiny), null);
  });

  it("prunes and saves beside the original, which stays as it is", async () => {
    const before = await readFile(tiny.fsPath);
    await vscode.commands.executeCommand("vscode.openWith", tiny, viewType);
    // The command waits until the model is read. It ends after the comparison with the original, which is not waited for.
    void vscode.commands.executeCommand("prunescope.pruneAndSave", tiny);
    const size = await eventually("The pruned file", () =>
      stat(pruned).then(
        (found) => found.size,
        () => null,
      ),
    );
    assert(size >= before.byteLength, "Provenance is appended, nothing is left out.");
    const written = await readFile(pruned);
    assert(!before.equals(written.subarray(0, before.byteLength)), "Weights are zeroed.");
    assert(before.equals(await readFile(tiny.fsPath)));
  });

  it("opens what it saved", async () => {
    await access(pruned);
    const uri = vscode.Uri.file(pruned);
    await vscode.commands.executeCommand("prunescope.open", uri);
    await eventually("The pruned model's tab", () => modelTab(uri));
  });

  it("compares two models that are selected, whichever was clicked", async () => {
    const uri = vscode.Uri.file(pruned);
    // As the explorer passes them: the one that was clicked, then all that are selected.
    await vscode.commands.executeCommand("prunescope.compare", uri, [uri, tiny]);
    const tab = await eventually("The comparison's tab", () => webviewTab("prunescope.comparison"));
    assert.equal(tab.label, "Compare: tiny.magnitude-90.onnx");
    await vscode.window.tabGroups.close(tab);
  });

  it("restarts its server", async () => {
    await vscode.commands.executeCommand("prunescope.restartServer");
    await vscode.commands.executeCommand("prunescope.cancel");
    assert.notEqual(modelTab(tiny), null);
  });

  it("reads its settings with the defaults that it documents", () => {
    const settings = vscode.workspace.getConfiguration("prunescope", tiny);
    assert.equal(settings.get("criterion"), "magnitude");
    assert.equal(settings.get("sparsity"), 0.9);
    assert.equal(settings.get("trace.server"), "off");
  });
});
