/**
 * **The model editor**
 *
 * What it does: opens `*.onnx` files in a read-only custom editor whose page is the results view, and TensorFlow.js
 * models when that is asked for (*Reopen With…*, the lens above them, commands): a `model.json` stays a text file.
 * What gates it: the file name; `workbench.editorAssociations` decides when other extensions claim it too. *Reopen
 * With…* knows nothing but names and is offered for `*model*.json` alone, not for every JSON file there is; models of
 * other names are recognised by what is in them.
 * What the user sees: the model at once, its layers when they are analysed, in every tab that shows the file.
 */
import { window, type CustomReadonlyEditorProvider, type Uri, type WebviewPanel } from "vscode";
import type { PruneScope } from "../context.js";
import { ModelDocument } from "./model-document.js";
import { showModel } from "./model-view.js";
import { tfjsViewType, viewType } from "./view-type.js";

/** Registers the editor and passes on to open models what the server says. */
export function activate(context: PruneScope): void {
  const provider: CustomReadonlyEditorProvider<ModelDocument> = {
    openCustomDocument: (uri: Uri) => new ModelDocument(context, uri, context.models.takeRecipe(uri)),
    resolveCustomEditor: (model: ModelDocument, panel: WebviewPanel) => {
      showModel(context, model, panel);
    },
  };
  for (const type of [viewType, tfjsViewType]) {
    context.own(
      window.registerCustomEditorProvider(type, provider, {
        supportsMultipleEditorsPerDocument: true,
        webviewOptions: { retainContextWhenHidden: false },
      }),
    );
  }
  context.own(
    context.server.onProgress(({ uri, job, ...progress }) => {
      context.models.find(uri)?.session.progress(job, progress);
    }),
    context.server.onBack(() => {
      for (const model of context.models.all) model.session.serverBack();
    }),
    window.onDidChangeWindowState(({ focused }) => {
      if (focused) for (const model of context.models.all) model.look();
    }),
  );
}
