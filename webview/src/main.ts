/**
 * Entry of every page. The same bundle is the editor's results view and comparison (the extension answers) and the saved
 * HTML report (the state is in the page, nobody answers).
 */
import { readEmbeddedState, staticHost } from "./host/static-host.js";
import { mountComparison } from "./comparison/comparison-page.js";
import { comparisonHost, modelHost, type WebviewApi } from "./host/vscode-host.js";
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
const api = window.acquireVsCodeApi?.() ?? null;

if (root !== null && (api !== null || embedded !== null)) {
  document.body.dataset["state"] = "loading";
  document.body.dataset["rest"] = "false";
  registerToolkit(window);
  if (api !== null && root.dataset["view"] === "comparison") {
    mountComparison(document, root, comparisonHost(api, window), windowClock(window));
  } else {
    const host = api !== null ? modelHost(api, window) : staticHost(embedded!);
    const store = new ViewStore(host, windowClock(window));
    mountPage(document, root, store);
    store.start();
  }
} else if (root !== null) {
  root.textContent = "This page holds no PruneScope report.";
}
