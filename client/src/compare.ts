/**
 * **PruneScope: Compare Models**
 *
 * What it does: compares an original with a pruned model: layers, sizes, outputs on the same input, accuracy, latency.
 * What gates it: two models that are selected in the explorer; else a file or the active view, and a second file
 * that is asked for. Called with two URIs it takes the first as the original.
 * What the user sees: a page beside the editor.
 */
import { posix } from "node:path";
import { l10n, Uri, window } from "vscode";
import { commandTarget } from "./command-target.js";
import { openComparison } from "./comparison/comparison-panel.js";
import { originalFirst } from "./comparison/original-first.js";
import type { PruneScope } from "./context.js";
import { modelFilters } from "./model-filters.js";
import { shownName } from "../../server/protocol/model-names.js";
import { modelSettings } from "./settings.js";

/** Registers the command. */
export function activate(context: PruneScope): void {
  context.command("prunescope.compare", async (argument, more) => {
    const pair = await chosenPair(context, argument, more);
    if (pair === null) return;
    const [original, pruned] = pair;
    // The data of the original's view, where it has one.
    const shown = context.models.find(original)?.session.state.recipe;
    openComparison(context, original, pruned, shown ?? modelSettings(original).recipe);
  });
}

/** @param more the second model, or what VS Code's explorer passes: all that is selected. */
async function chosenPair(context: PruneScope, argument: unknown, more: unknown): Promise<[Uri, Uri] | null> {
  if (argument instanceof Uri && more instanceof Uri) return [argument, more];
  const selected = Array.isArray(more) ? more.filter((uri): uri is Uri => uri instanceof Uri) : [];
  if (selected.length > 2) {
    void window.showInformationMessage(l10n.t("Select two models to compare them."));
    return null;
  }
  const [a, b] = selected;
  if (a !== undefined && b !== undefined) return ordered(a, b);
  const first = await commandTarget(context, argument);
  const second = first === null ? null : await pickOther(first);
  return first === null || second === null ? null : ordered(first, second);
}

function ordered(a: Uri, b: Uri): [Uri, Uri] {
  return originalFirst([a.path, b.path]) ? [a, b] : [b, a];
}

async function pickOther(model: Uri): Promise<Uri | null> {
  const chosen = await window.showOpenDialog({
    title: l10n.t("Compare {0} With", shownName(model.path)),
    openLabel: l10n.t("Compare"),
    canSelectMany: false,
    defaultUri: model.with({ path: posix.dirname(model.path) }),
    filters: modelFilters(),
  });
  return chosen?.[0] ?? null;
}
