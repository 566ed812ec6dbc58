/**
 * **The model editor**
 *
 * What it does: opens `*.onnx` files in a read-only custom editor whose page is the results view.
 * What gates it: the file name; `workbench.editorAssociations` decides when other extensions claim it too.
 * What the user sees: the model at once, its layers when they are analysed, in every tab that shows the file.
 */
import { window, type CustomReadonlyEditorProvider, type Uri, type WebviewPanel } from "vscode";
import type { PruneScope } from "../context.js";
import { ModelDocument } from "./model-document.js";
import { showModel } from "./model-view.js";
import { viewType } from "./view-type.js";

/** Registers the editor and passes on to open models what the server says. */
export function activate(context: PruneScope): void {
  const provider: CustomReadonlyEditorProvider<ModelDocument> = {
    openCustomDocument: (uri: Uri) => new ModelDocument(context, uri, context.models.takeRecipe(uri)),
    resolveCustomEditor: (model: ModelDocument, panel: WebviewPanel) => {
      showModel(context, model, panel);
    },
  };
  context.own(
    window.registerCustomEditorProvider(viewType, provider, {
      supportsMultipleEditorsPerDocument: true,
      webviewOptions: { retainContextWhenHidden: false },
    }),
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
