/**
 * Where a pruned model is written. *Prune & Save* writes beside the original and asks before it replaces anything;
 * *Save As…* asks for the place. The original itself is only written when the person picked it and confirmed.
 */
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { l10n, Uri, window, workspace } from "vscode";
import type { ModelView } from "../../../server/protocol/model.js";
import type { Recipe } from "../../../server/protocol/recipe.js";
import { modelFilters } from "../model-filters.js";
import { shownName } from "../../../server/protocol/model-names.js";
import { plainText } from "../plain-text.js";
import { sameFile } from "./same-file.js";
import { suggestedPlace } from "./suggested-place.js";

export interface Target {
  readonly path: string;
  readonly replaceOriginal: boolean;
}

/** Asks what has to be asked. @returns null when the person does not want to save after all. */
export async function chooseTarget(
  original: Uri,
  recipe: Recipe,
  model: ModelView,
  ask: boolean,
): Promise<Target | null> {
  const opened = workspace.workspaceFolders?.map(({ uri }) => uri.fsPath) ?? [];
  // A model that is no file on this machine has no place beside it.
  const beside = original.scheme === "file";
  const file = beside ? original.fsPath : join(opened[0] ?? homedir(), basename(original.path));
  const place = suggestedPlace(file, recipe, model.dataFiles.length, opened);
  const path = ask || !beside ? await askWhere(place) : await besideUnlessTaken(place);
  if (path === null) return null;
  if (original.scheme !== "file" || !(await sameFile(path, original.fsPath))) return { path, replaceOriginal: false };
  const replace = l10n.t("Replace the Original");
  const answer = await window.showWarningMessage(
    plainText(l10n.t("Replace the original model {0} by the pruned one?", shownName(original.path))),
    { modal: true, detail: l10n.t("The weights that are removed cannot be brought back.") },
    replace,
  );
  return answer === replace ? { path, replaceOriginal: true } : null;
}

async function besideUnlessTaken(path: string): Promise<string | null> {
  if (!(await exists(path))) return path;
  const replace = l10n.t("Replace");
  const saveAs = l10n.t("Save As…");
  const answer = await window.showWarningMessage(
    plainText(l10n.t("{0} exists already. Replace it?", shownName(Uri.file(path).path))),
    { modal: true, detail: plainText(dirname(path)) },
    replace,
    saveAs,
  );
  if (answer === replace) return path;
  return answer === saveAs ? askWhere(path) : null;
}

async function askWhere(suggestion: string): Promise<string | null> {
  const chosen = await window.showSaveDialog({
    title: l10n.t("Save the Pruned Model"),
    saveLabel: l10n.t("Prune & Save"),
    defaultUri: Uri.file(suggestion),
    filters: modelFilters(suggestion),
  });
  if (chosen === undefined) return null;
  if (chosen.scheme === "file") return chosen.fsPath;
  void window.showErrorMessage(l10n.t("Choose a folder on the machine that the model is on."));
  return null;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
