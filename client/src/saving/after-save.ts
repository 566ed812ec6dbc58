/**
 * What follows a save: a notification that offers to open, compare or reveal the file, then a first comparison of both
 * models' outputs and sizes. Both can be cancelled; each result is shown in the view as it arrives.
 */
import { commands, env, l10n, UIKind, Uri, window, workspace } from "vscode";
import { PruneScopeError, toErrorData, type ErrorData } from "../../../server/protocol/errors.js";
import type { SaveReport } from "../../../server/protocol/report.js";
import type { JobName, Jobs } from "../../../server/protocol/requests.js";
import { openComparison } from "../comparison/comparison-panel.js";
import type { PruneScope } from "../context.js";
import type { ModelDocument } from "../model-editor/model-document.js";
import { viewTypeOf } from "../model-editor/view-type.js";
import { shownName } from "../../../server/protocol/model-names.js";
import { plainText } from "../plain-text.js";
import { requestError } from "../server/request-error.js";
import { modelSettings } from "../settings.js";

/** Tells that `report`'s file was written. Does not wait for an answer. @param original null where it was replaced. */
export function announce(context: PruneScope, report: SaveReport, original: Uri | null): void {
  const uri = Uri.file(report.path);
  const open = l10n.t("Open");
  const compare = l10n.t("Compare");
  const reveal = l10n.t("Reveal");
  const revealCommand = revealCommandFor(uri);
  const removed = 100 * (1 - report.kept / report.prunable);
  const message = l10n.t(
    "Saved {0}: {1} of {2} prunable weights removed ({3} %).",
    shownName(uri.path),
    (report.prunable - report.kept).toLocaleString("en"),
    report.prunable.toLocaleString("en"),
    (Number.isFinite(removed) ? removed : 0).toFixed(1),
  );
  const choices = [open, ...(original === null ? [] : [compare]), ...(revealCommand === null ? [] : [reveal])];
  void window.showInformationMessage(plainText(message), ...choices).then(async (chosen) => {
    try {
      if (chosen === open) await commands.executeCommand("vscode.openWith", uri, viewTypeOf(uri));
      else if (chosen === compare && original !== null) openComparison(context, original, uri, report.recipe);
      else if (chosen === reveal && revealCommand !== null) await commands.executeCommand(revealCommand, uri);
    } catch (error) {
      context.tell(error);
    }
  });
}

/** Compares the saved model with the original in the view. Never rejects: what fails is shown in its place. */
export async function compareInView(
  context: PruneScope,
  model: ModelDocument,
  path: string,
  save: SaveReport,
  replaced: boolean,
): Promise<void> {
  const { session } = model;
  const uri = model.uri.toString();
  session.saved({ save, verify: null, compress: null });
  if (replaced) {
    const nothing = toErrorData(
      new PruneScopeError("missing-data", l10n.t("The original was replaced, so there is nothing to compare with.")),
    );
    session.saved({ save, verify: nothing, compress: nothing });
    return;
  }
  const outcome = async <J extends JobName>(
    label: string,
    job: J,
    params: Jobs[J]["params"],
  ): Promise<Jobs[J]["result"] | ErrorData> => {
    try {
      return await session.beside(label, job, (signal) => context.server.request(job, params, signal));
    } catch (error) {
      const known = requestError(error);
      if (known.code !== "cancelled") context.note(error);
      return toErrorData(known);
    }
  };
  // Another save may have taken this one's place in the view meanwhile.
  const current = (): boolean => session.state.saved?.save === save;
  const { dynamicAxes } = modelSettings(model.uri);
  const pruned = save.path;
  const verify = await outcome(l10n.t("Comparing the outputs of both models"), "verify", {
    uri,
    path,
    pruned,
    seed: save.recipe.seed,
    dynamicAxes,
  });
  if (!current()) return;
  session.saved({ save, verify, compress: null });
  const compress = await outcome(l10n.t("Comparing compressed sizes"), "compress", { uri, path, pruned });
  if (current()) session.saved({ save, verify, compress });
}

function revealCommandFor(uri: Uri): string | null {
  if (workspace.getWorkspaceFolder(uri) !== undefined) return "revealInExplorer";
  return env.uiKind === UIKind.Desktop && env.remoteName === undefined ? "revealFileInOS" : null;
}
