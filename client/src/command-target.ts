/** Which model a command is about: the file it was called on, else the active view's, else the one the person picks. */
import { l10n, TabInputCustom, TabInputText, Uri, window } from "vscode";
import type { PruneScope } from "./context.js";
import { modelFilters } from "./model-filters.js";

/** @param argument what VS Code passes to the command: a file from the explorer or an editor's title, or nothing. */
export async function commandTarget(context: PruneScope, argument: unknown): Promise<Uri | null> {
  if (argument instanceof Uri) return argument;
  return context.models.active?.uri ?? activeFile(context) ?? pickFile();
}

/** Asks for a model file. */
export async function pickFile(): Promise<Uri | null> {
  const chosen = await window.showOpenDialog({
    title: l10n.t("Open a Model"),
    openLabel: l10n.t("Open"),
    canSelectMany: false,
    filters: modelFilters(),
  });
  return chosen?.[0] ?? null;
}

function activeFile(context: PruneScope): Uri | null {
  const input: unknown = window.tabGroups.activeTabGroup.activeTab?.input;
  if (!(input instanceof TabInputCustom || input instanceof TabInputText)) return null;
  const { uri } = input;
  return uri.path.toLowerCase().endsWith(".onnx") || context.recognised.has(uri) ? uri : null;
}
