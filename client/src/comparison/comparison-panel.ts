/**
 * The page of a comparison beside the editor: the panel, and the messages between it and the comparison. It ends with the
 * panel, and what it was still doing is cancelled.
 */
import { l10n, ViewColumn, window, type Uri } from "vscode";
import { parseFromComparison, type FromComparison, type ToComparison } from "../../../server/protocol/compare.js";
import type { Recipe } from "../../../server/protocol/recipe.js";
import { chooseData } from "../choose-data.js";
import type { PruneScope } from "../context.js";
import { fillPage } from "../model-editor/fill-page.js";
import { shownName } from "../../../server/protocol/model-names.js";
import { openSource } from "../open-source.js";
import { plainText } from "../plain-text.js";
import { ComparisonSession } from "./comparison-session.js";

/** Type of the panel, for VS Code. */
export const comparisonType = "prunescope.comparison";

/** Every comparison is a piece of work of its own for the server. */
let opened = 0;

/** Opens the page and compares. @param recipe what the models are run with. */
export function openComparison(context: PruneScope, original: Uri, pruned: Uri, recipe: Recipe): void {
  const names = { original: shownName(original.path), pruned: shownName(pruned.path) };
  const title = plainText(l10n.t("Compare: {0}", names.pruned));
  const panel = window.createWebviewPanel(comparisonType, title, ViewColumn.Beside);
  const { webview } = panel;
  const uri = `prunescope-comparison:${++opened}`;
  const sources = { original: openSource(original), pruned: openSource(pruned) };
  const post = (message: ToComparison): void => {
    // A hidden page is gone; it says `ready` when it is back and then gets the whole state.
    if (panel.visible) void webview.postMessage(message);
  };
  const session = new ComparisonSession(
    {
      server: context.server,
      uri,
      paths: async (signal) => ({
        original: await sources.original.path(true, signal),
        pruned: await sources.pruned.path(true, signal),
      }),
      post,
      note: (error) => {
        context.note(error);
      },
    },
    names,
    recipe,
  );
  const receive = async (message: FromComparison): Promise<void> => {
    switch (message.type) {
      case "ready":
        post({ type: "comparison", state: session.state });
        return;
      case "cancel":
        session.cancel();
        return;
      case "retry":
        return session.run();
      case "chooseData": {
        const data = await chooseData(original, message.folder);
        return data === null ? undefined : session.runOn(data);
      }
    }
  };
  const connections = [
    webview.onDidReceiveMessage((input: unknown) => {
      const message = parseFromComparison(input);
      if (message === null) context.log.warn("A message from a comparison was not understood.");
      else
        receive(message).catch((error: unknown) => {
          context.tell(error);
        });
    }),
    context.server.onProgress(({ uri: of, job, ...progress }) => {
      if (of === uri && job === "compare") session.progress(progress);
    }),
  ];
  panel.onDidDispose(() => {
    for (const connection of connections) connection.dispose();
    session.dispose();
    void sources.original.dispose();
    void sources.pruned.dispose();
  });
  fillPage(context, webview, "comparison", title);
  void session.run();
}
