/**
 * **PruneScope: Restart Analysis Server**
 *
 * What it does: stops the analysis server with its engine and starts another; open models are asked for again.
 * What gates it: nothing. What the user sees: a note in the status bar; views keep what they show meanwhile.
 */
import { l10n, window } from "vscode";
import type { PruneScope } from "./context.js";

/** Registers the command. */
export function activate(context: PruneScope): void {
  context.command("prunescope.restartServer", async () => {
    const restarted = context.server.restart();
    window.setStatusBarMessage(l10n.t("$(sync~spin) Restarting the PruneScope analysis server…"), restarted);
    await restarted;
    window.setStatusBarMessage(l10n.t("$(check) The PruneScope analysis server runs again."), 4000);
  });
}
