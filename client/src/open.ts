/**
 * **PruneScope: Open Model**
 *
 * What it does: opens a file in the model editor, whatever editor is the default for it.
 * What gates it: nothing; in the explorer and in an editor's title it is offered for `.onnx` files and for
 * TensorFlow.js models.
 * What the user sees: the model's view, after a file dialog when no file was given.
 */
import { commands, Uri } from "vscode";
import { pickFile } from "./command-target.js";
import type { PruneScope } from "./context.js";
import { viewTypeOf } from "./model-editor/view-type.js";

/** Registers the command. */
export function activate(context: PruneScope): void {
  context.command("prunescope.open", async (argument) => {
    const uri = argument instanceof Uri ? argument : await pickFile();
    if (uri !== null) await commands.executeCommand("vscode.openWith", uri, viewTypeOf(uri));
  });
}
