/**
 * One view of a model: its page, and the messages between the page and the model's session. Messages from the page are
 * checked here and trusted behind.
 */
import { commands, type Disposable, type WebviewPanel } from "vscode";
import { toErrorData } from "../../../server/protocol/errors.js";
import { parseRecipe } from "../../../server/protocol/recipe.js";
import type { ExactSurvival } from "../../../server/protocol/report.js";
import { parseFromView, type FromView, type ToView } from "../../../server/protocol/view.js";
import { chooseData } from "../choose-data.js";
import type { PruneScope } from "../context.js";
import { saveFromView } from "../save.js";
import { requestError } from "../server/request-error.js";
import type { ModelDocument } from "./model-document.js";
import { fillPage } from "./fill-page.js";

/** Fills `panel` with the view of `model` and connects the two until the panel is closed. */
export function showModel(context: PruneScope, model: ModelDocument, panel: WebviewPanel): void {
  const { webview } = panel;
  const post = (message: ToView): void => {
    // A hidden page is gone; it says `ready` when it is back and then gets the whole state.
    if (panel.visible) void webview.postMessage(message);
  };
  const closed = new AbortController();
  let newest = -1;

  const answer = async ({ id, sparsity, scope }: FromView & { type: "survival" }): Promise<void> => {
    newest = id;
    try {
      // The server answers only the newest question about a model, which may be that of another view.
      const isWanted = (): boolean => newest === id && !closed.signal.aborted;
      const ask = (): Promise<ExactSurvival> => model.session.survival(sparsity, scope, closed.signal);
      const result = await ask().catch((error: unknown) => {
        if (isWanted() && requestError(error).code === "cancelled") return ask();
        throw error;
      });
      post({ type: "reply", id, result });
    } catch (error) {
      post({ type: "reply", id, error: toErrorData(requestError(error)) });
    }
  };

  const receive = async (message: FromView): Promise<void> => {
    const { session } = model;
    switch (message.type) {
      case "ready":
        post({ type: "state", state: session.state });
        return;
      case "survival":
        return answer(message);
      case "recipe":
        return session.analyze(parseRecipe(message.recipe));
      case "chooseData": {
        const data = await chooseData(model.uri, message.folder);
        return data === null ? undefined : session.scoreOn(data);
      }
      case "sparsity":
        session.rest(message.sparsity);
        return;
      case "measure":
        return session.looking.measure(message.stabilityRuns);
      case "remedies":
        return session.looking.remedies(message.budget);
      case "save":
        return saveFromView(context, model, parseRecipe(message.recipe), message.as);
      case "cancel":
        session.cancel();
        return;
      case "retry":
        return session.retry();
      case "openText":
        await commands.executeCommand("vscode.openWith", model.uri, "default");
        return;
    }
  };

  const connections: Disposable[] = [
    model.show({ post }),
    webview.onDidReceiveMessage((input: unknown) => {
      const message = parseFromView(input);
      if (message === null) context.log.warn("A message from a view was not understood.");
      else
        receive(message).catch((error: unknown) => {
          context.tell(error);
        });
    }),
    panel.onDidChangeViewState(() => {
      context.models.setActive(model, panel, panel.active);
      if (panel.visible) model.look();
    }),
  ];
  panel.onDidDispose(() => {
    closed.abort();
    context.models.setActive(model, panel, false);
    for (const connection of connections) connection.dispose();
  });
  context.models.setActive(model, panel, panel.active);

  fillPage(context, webview, "model", model.session.state.title);
}
