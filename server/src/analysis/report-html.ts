/**
 * The report as one HTML file that works offline: the built results view, its stylesheet, and the view's whole state as
 * JSON. It is the editor's view, read as files; nothing is imported from it.
 */
import { createHash } from "node:crypto";
import type { ViewState } from "../../protocol/view.js";

/** The built view: script and stylesheet as text. */
export interface ViewAssets {
  readonly script: string;
  readonly style: string;
}

/** Builds the page. Everything from the model travels as JSON in which no `<` is left, so it cannot end its element. */
export function reportPage(state: ViewState, { script, style }: ViewAssets): string {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  // A saved page has no server to make nonces, so scripts and styles are allowed by what they are; the toolkit's own
  // style element carries the nonce of the meta element, which must then be a constant.
  const nonce = createHash("sha256").update(script).digest("base64");
  const policy = `default-src 'none'; img-src data:; script-src ${hash(script)}; style-src ${hash(style)} 'nonce-${nonce}'`;
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<meta property="csp-nonce" content="${nonce}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeText(state.title)} – PruneScope</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    '<main id="app"></main>',
    `<script type="application/json" id="prunescope-state">${escapeJson(state)}</script>`,
    `<script>${script}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** JSON that is safe inside a script element and in JavaScript of any age. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
