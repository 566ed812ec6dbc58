/** The page in a document without layout, and what can be read from it. */
import { JSDOM } from "jsdom";
import type { ViewState } from "../../server/protocol/view.js";
import { mountPage } from "../../webview/src/page/page.js";
import { ViewStore } from "../../webview/src/state/store.js";
import { FakeClock, FakeHost } from "./fake-host.js";

/** A page without a browser's layout: what it says, not how it looks. */
export function page(state: ViewState): { body: HTMLElement; host: FakeHost; clock: FakeClock; store: ViewStore } {
  const { document } = new JSDOM(`<body><main id="app"></main></body>`).window;
  const host = new FakeHost(state.mode === "editor");
  const clock = new FakeClock();
  const store = new ViewStore(host, clock);
  mountPage(document, document.getElementById("app")!, store);
  store.start();
  host.send({ type: "state", state });
  clock.draw();
  return { body: document.body, host, clock, store };
}

/** What the first element says, with plain spaces; empty where there is none. */
export function text(body: HTMLElement, selector: string): string {
  const found = body.querySelector(selector);
  return (found?.textContent ?? "").replaceAll("\u00a0", " ");
}

/** Whether the first element is there and nothing around it is hidden. */
export function shown(body: HTMLElement, selector: string): boolean {
  const found = body.querySelector<HTMLElement>(selector);
  return found !== null && found.closest("[hidden]") === null;
}
