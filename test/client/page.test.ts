// The page refuses everything that it does not name, and nothing in it can be changed by a title.

import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { contentSecurityPolicy, pageHtml, type PageParts } from "../../client/src/model-editor/page.js";

const parts = {
  cspSource: "https://*.vscode-cdn.net",
  nonce: "bm9uY2U",
  scriptUri: "https://file.vscode-cdn.net/ext/dist/webview.js?a=1&b=2",
  styleUri: "https://file.vscode-cdn.net/ext/media/view.css",
  title: "model.onnx",
  view: "model" as const,
  language: "en",
};
const page = (change: Partial<PageParts> = {}): Document =>
  new JSDOM(pageHtml({ ...parts, ...change })).window.document;

describe("the page", () => {
  it("has a policy that allows our own files and the nonce only", () => {
    expect(contentSecurityPolicy(parts)).toBe(
      "default-src 'none'; img-src https://*.vscode-cdn.net data:; " +
        "style-src https://*.vscode-cdn.net 'nonce-bm9uY2U'; script-src 'nonce-bm9uY2U'; " +
        "font-src https://*.vscode-cdn.net",
    );
    const inPage = page().querySelector('meta[http-equiv="Content-Security-Policy"]');
    expect(inPage?.getAttribute("content")).toBe(contentSecurityPolicy(parts));
    expect(pageHtml(parts)).not.toMatch(/unsafe-|\*\s*;/);
  });

  it("holds one script, with the nonce, and no style or handler of its own", () => {
    const document = page();
    const scripts = [...document.scripts];
    expect(scripts.map((script) => [script.getAttribute("src"), script.getAttribute("nonce"), script.text])).toEqual([
      [parts.scriptUri, parts.nonce, ""],
    ]);
    expect(document.querySelectorAll("style, [style]")).toHaveLength(0);
    const attributes = [...document.querySelectorAll("*")].flatMap((element) => element.getAttributeNames());
    expect(attributes.filter((name) => name.startsWith("on"))).toEqual([]);
  });

  it("gives the view what it needs", () => {
    const document = page();
    expect(document.querySelector("main#app")?.childNodes).toHaveLength(0);
    expect(document.querySelector('meta[property="csp-nonce"]')?.getAttribute("content")).toBe(parts.nonce);
    expect(document.querySelector('link[rel="stylesheet"]')?.getAttribute("href")).toBe(parts.styleUri);
    expect(document.documentElement.lang).toBe("en");
    expect(document.title).toBe("model.onnx");
    expect(document.doctype?.name).toBe("html");
  });

  it.each(["model", "comparison"] as const)("tells the script to make the page for a %s", (view) => {
    expect(page({ view }).querySelector("main")?.dataset["view"]).toBe(view);
  });

  it("shows a hostile title as text", () => {
    const title = `</title><script>alert(1)</script>"'&`;
    const document = page({ title });
    expect(document.title).toBe(title);
    expect(document.scripts).toHaveLength(1);
  });
});
