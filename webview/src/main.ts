/**
 * Entry of the results view. The same bundle is the editor's webview (the extension answers) and the saved HTML report
 * (the state is in the page, nobody answers).
 */
import { readEmbeddedState, staticHost } from "./host/static-host.js";
import { vscodeHost, type WebviewApi } from "./host/vscode-host.js";
import { mountPage } from "./page/page.js";
import { windowClock } from "./state/clock.js";
import { ViewStore } from "./state/store.js";
import { registerToolkit } from "./toolkit.js";

declare global {
  interface Window {
    /** Present in a webview of VS Code only. */
    acquireVsCodeApi?: () => WebviewApi;
  }
}

const root = document.getElementById("app");
const embedded = readEmbeddedState(document);
const host = window.acquireVsCodeApi
  ? vscodeHost(window.acquireVsCodeApi(), window)
  : embedded !== null
    ? staticHost(embedded)
    : null;

if (root !== null && host !== null) {
  document.body.dataset["state"] = "loading";
  document.body.dataset["rest"] = "false";
  registerToolkit(window);
  const store = new ViewStore(host, windowClock(window));
  mountPage(document, root, store);
  store.start();
} else if (root !== null) {
  root.textContent = "This page holds no PruneScope report.";
}
