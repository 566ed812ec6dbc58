/** Puts a page of ours into a webview: scripts on, files from our own folders only, a fresh nonce. */
import { randomBytes } from "node:crypto";
import { Uri, type Webview } from "vscode";
import type { PruneScope } from "../context.js";
import { pageHtml, type PageParts } from "./page.js";

/** Fills `webview` with the page for `view`. */
export function fillPage(context: PruneScope, webview: Webview, view: PageParts["view"], title: string): void {
  const { extensionUri } = context.extension;
  const resource = (...path: string[]): string => webview.asWebviewUri(Uri.joinPath(extensionUri, ...path)).toString();
  webview.options = {
    enableScripts: true,
    localResourceRoots: ["dist", "media"].map((folder) => Uri.joinPath(extensionUri, folder)),
  };
  webview.html = pageHtml({
    cspSource: webview.cspSource,
    nonce: randomBytes(24).toString("base64url"),
    scriptUri: resource("dist", "webview.js"),
    styleUri: resource("media", "view.css"),
    title,
    view,
    // The view's own words are English.
    language: "en",
  });
}
