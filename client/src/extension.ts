/**
 * Where VS Code enters: builds the context and activates every feature, one file each. Activation is by the model
 * editor, by commands and by JSON files; the server starts with the first request, never because a file is JSON.
 */
import type { ExtensionContext } from "vscode";
import * as analyze from "./analyze.js";
import * as cancel from "./cancel.js";
import * as compare from "./compare.js";
import { PruneScope } from "./context.js";
import * as modelJsonLens from "./model-json/model-json-lens.js";
import * as modelEditor from "./model-editor/model-editor.js";
import * as open from "./open.js";
import * as restartServer from "./restart-server.js";
import * as save from "./save.js";
import * as showLog from "./show-log.js";

const features = [analyze, cancel, compare, modelEditor, modelJsonLens, open, restartServer, save, showLog] as const;
let context: PruneScope | undefined;

/** Called once by VS Code. */
export function activate(extension: ExtensionContext): void {
  context = new PruneScope(extension);
  for (const feature of features) feature.activate(context);
}

/** Called by VS Code before the extension host ends. */
export async function deactivate(): Promise<void> {
  await context?.dispose();
  context = undefined;
}
