/**
 * **PruneScope: Analyze**
 *
 * What it does: analyses the model again in its view; without a view asks for criterion and sparsity and opens one.
 * What gates it: a view of the model, an `.onnx` file, or a TensorFlow.js model.
 * What the user sees: the view, working.
 */
import { commands } from "vscode";
import { commandTarget } from "./command-target.js";
import type { PruneScope } from "./context.js";
import { viewTypeOf } from "./model-editor/view-type.js";
import { openSource } from "./open-source.js";
import { pickRecipe } from "./recipe-picks.js";

/** Registers the command. */
export function activate(context: PruneScope): void {
  context.command("prunescope.analyze", async (argument) => {
    const uri = await commandTarget(context, argument);
    if (uri === null) return;
    const model = context.models.find(uri);
    if (model !== null) {
      await model.session.retry();
      return;
    }
    const source = openSource(uri);
    try {
      const picked = await pickRecipe(context, uri, await source.path(false, new AbortController().signal));
      if (picked === null) return;
      context.models.expect(uri, picked.recipe);
      await commands.executeCommand("vscode.openWith", uri, viewTypeOf(uri));
    } finally {
      await source.dispose();
    }
  });
}
