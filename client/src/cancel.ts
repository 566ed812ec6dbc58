/**
 * **PruneScope: Cancel**
 *
 * What it does: cancels the work on the model in the active view, or on every model when no view is active.
 * What gates it: the context key `prunescope.working`, true while any open model is worked on.
 * What the user sees: the progress goes; a view goes back to its last result, or offers to try again when it has none.
 */
import { commands } from "vscode";
import type { PruneScope } from "./context.js";

/** Registers the command and keeps its context key. */
export function activate(context: PruneScope): void {
  context.command("prunescope.cancel", () => {
    const { active, all } = context.models;
    for (const model of active === null ? all : [active]) model.session.cancel();
  });
  let working = false;
  context.own(
    context.models.onActivity(() => {
      const now = context.models.all.some((model) => model.session.state.activity.kind === "working");
      if (now === working) return;
      working = now;
      void commands.executeCommand("setContext", "prunescope.working", now);
    }),
  );
}
