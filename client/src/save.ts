/**
 * **PruneScope: Prune & Save** and **PruneScope: Prune & Save As…**
 *
 * What they do: write the pruned model, beside the original or where the person says, then compare the two.
 * What gates them: a view of the model, or a model in the explorer or as text: then criterion and sparsity are asked for.
 * What the user sees: progress that can be cancelled, a notification, and the comparison in the view.
 */
import { dirname } from "node:path";
import { l10n, ProgressLocation, Uri, window } from "vscode";
import type { ModelView } from "../../server/protocol/model.js";
import type { Recipe } from "../../server/protocol/recipe.js";
import type { SaveReport } from "../../server/protocol/report.js";
import type { SaveParams } from "../../server/protocol/requests.js";
import { commandTarget } from "./command-target.js";
import type { PruneScope } from "./context.js";
import type { ModelDocument } from "./model-editor/model-document.js";
import { shownName } from "../../server/protocol/model-names.js";
import { openSource } from "./open-source.js";
import { plainText } from "./plain-text.js";
import { pickRecipe } from "./recipe-picks.js";
import { announce, compareInView } from "./saving/after-save.js";
import { chooseTarget, type Target } from "./saving/choose-target.js";
import { inMadeFolder } from "./saving/made-folder.js";
import { runWithProgress } from "./saving/run-with-progress.js";
import { tellingWhatIsThere } from "./saving/written-meanwhile.js";

/** Registers both commands. */
export function activate(context: PruneScope): void {
  context.command("prunescope.pruneAndSave", (uri) => saveByCommand(context, uri, false));
  context.command("prunescope.saveAs", (uri) => saveByCommand(context, uri, true));
}

/** Saves what a view shows. `ask` for the place to write to. */
export async function saveFromView(
  context: PruneScope,
  model: ModelDocument,
  recipe: Recipe,
  ask: boolean,
): Promise<void> {
  const { session, uri } = model;
  await session.firstResult();
  const { path, state } = session;
  if (path === null || state.model === null) {
    void window.showInformationMessage(l10n.t("The model could not be read; its view says why."));
    return;
  }
  const target = await chooseTarget(uri, recipe, state.model, ask);
  if (target === null) return;
  const params = saveParams(uri, path, recipe, target, state.model);
  const report = await session.beside(l10n.t("Saving"), "save", (signal) => write(context, params, signal));
  announce(context, report, target.replaceOriginal ? null : uri);
  await compareInView(context, model, path, report, target.replaceOriginal);
}

async function saveByCommand(context: PruneScope, argument: unknown, ask: boolean): Promise<void> {
  const uri = await commandTarget(context, argument);
  if (uri === null) return;
  const model = context.models.find(uri);
  if (model === null) await saveUnseen(context, uri, ask);
  else await saveFromView(context, model, model.session.state.recipe, ask);
}

function saveParams(uri: Uri, path: string, recipe: Recipe, target: Target, model: ModelView): SaveParams {
  const { path: place, replaceOriginal } = target;
  const { fingerprint } = model;
  return { uri: uri.toString(), path, recipe, target: place, replaceOriginal, metadata: true, fingerprint };
}

/** Saves a model that is not open in a view. */
async function saveUnseen(context: PruneScope, uri: Uri, ask: boolean): Promise<void> {
  const source = openSource(uri);
  try {
    const path = await source.path(false, new AbortController().signal);
    const picked = await pickRecipe(context, uri, path);
    if (picked === null) return;
    const { recipe, model } = picked;
    const target = await chooseTarget(uri, recipe, model, ask);
    if (target === null) return;
    const report = await write(context, saveParams(uri, path, recipe, target, model));
    announce(context, report, target.replaceOriginal ? null : uri);
  } finally {
    if (context.models.find(uri) === null) context.server.close(uri);
    await source.dispose();
  }
}

async function write(context: PruneScope, params: SaveParams, signal?: AbortSignal): Promise<SaveReport> {
  const name = shownName(Uri.file(params.target).path);
  const title = plainText(l10n.t("Saving {0}", name));
  const save = (): Promise<SaveReport> =>
    runWithProgress(context, ProgressLocation.Notification, title, "save", params, signal);
  const written = (): void => {
    const message = l10n.t("Saved {0} before that was cancelled. The file is whole; it was not read back.", name);
    void window.showInformationMessage(plainText(message));
  };
  return inMadeFolder(dirname(params.target), () => tellingWhatIsThere(params.target, save, written));
}
