/**
 * What the host is doing: a progress bar with *Cancel* while it works, the error's sentence, its place and *Retry* when
 * it failed.
 */
import { elementsOf, setText } from "../elements.js";
import type { ErrorData } from "../../../server/protocol/errors.js";
import type { Activity } from "../../../server/protocol/view.js";
import type { Progress } from "../../../server/protocol/requests.js";
import type { ViewStore } from "../state/store.js";
import { errorPlaces, layerLabel } from "../text/names.js";
import { compact, integer } from "../text/numbers.js";

export interface ActivityView {
  readonly element: HTMLElement;
  show(activity: Activity): void;
}

/** The line about running work; it keeps its place while nothing runs, so that nothing jumps. */
export function createWorkLine(document: Document, store: Pick<ViewStore, "cancel">): ActivityView {
  const h = elementsOf(document);
  const label = h("span", { class: "work-label" });
  const bar = h("progress", { class: "work-bar", "aria-label": "Progress" });
  const cancel = h("vscode-button", { appearance: "secondary", class: "work-cancel" }, "Cancel");
  cancel.addEventListener("click", () => {
    store.cancel();
  });
  const element = h("div", { class: "work" }, label, bar, cancel);
  return {
    element,
    show(activity) {
      const working = activity.kind === "working";
      element.dataset["working"] = String(working);
      bar.hidden = cancel.hidden = !working;
      if (!working) {
        setText(label, "");
        return;
      }
      const { progress } = activity;
      setText(label, workText(activity.label, progress));
      if (progress !== null && progress.total > 0) {
        bar.max = progress.total;
        bar.value = Math.min(progress.done, progress.total);
      } else {
        bar.removeAttribute("value");
      }
    },
  };
}

/** What the panel about work that failed can do; without `openText` it is not offered. */
type Ways = Pick<ViewStore, "exclude" | "live" | "retry" | "survey"> & Partial<Pick<ViewStore, "openText">>;

/** The panel about work that failed. */
export function createFailure(document: Document, store: Ways): ActivityView {
  const h = elementsOf(document);
  const sentence = h("p", { class: "failure-sentence" });
  const places = h("dl", { class: "places" });
  const retry = h("vscode-button", { class: "failure-retry" }, "Retry");
  retry.addEventListener("click", () => {
    store.retry();
  });
  const exclude = h("vscode-button", { appearance: "secondary", class: "failure-exclude" });
  const openText = h("vscode-button", { appearance: "secondary", class: "failure-text" }, "Open as Text");
  openText.addEventListener("click", () => {
    store.openText?.();
  });
  let offered: string | null = null;
  exclude.addEventListener("click", () => {
    if (offered !== null) store.exclude(offered, true);
  });
  const element = h(
    "section",
    { class: "failure", role: "alert" },
    h("span", { class: "failure-mark", "aria-hidden": "true" }, "✕"),
    h("div", {}, sentence, places, h("div", { class: "actions" }, retry, exclude, openText)),
  );
  return {
    element,
    show(activity) {
      element.hidden = activity.kind !== "failed";
      if (activity.kind !== "failed") return;
      const { error } = activity;
      setText(sentence, error.message);
      places.replaceChildren(
        ...errorPlaces(error).map(({ label, text }) => h("div", {}, h("dt", {}, label), h("dd", {}, text))),
      );
      element.dataset["code"] = error.code;
      retry.hidden = !activity.retry || !store.live;
      // Scores that are not finite are the one failure that a click can work around.
      offered = error.code === "non-finite" ? layerNamed(store, error.about.value) : null;
      exclude.hidden = offered === null || !store.live;
      setText(exclude, "Exclude this layer");
      openText.hidden = !isForeignText(error) || !store.live || store.openText === undefined;
    },
  };
}

/** Whether a JSON file turned out to be no model, or a broken one: it can be read all the same. */
function isForeignText({ code, about }: ErrorData): boolean {
  return /\.json$/i.test(about.file ?? "") && (code === "unsupported-format" || code === "malformed-model");
}

function layerNamed(store: Pick<ViewStore, "survey">, value: string | undefined): string | null {
  const layer = store.survey?.model.layers.find(
    (candidate) => value !== undefined && (candidate.id === value || layerLabel(candidate) === value),
  );
  return layer?.id ?? null;
}

function workText(label: string, progress: Progress | null): string {
  if (progress === null) return `${label} …`;
  const stage = progress.stage === "" || progress.stage === label ? "" : ` · ${progress.stage}`;
  const { done, total } = progress;
  if (total <= 0) return `${label}${stage} …`;
  const amount = total >= 1e6 ? `${compact(done)} of ${compact(total)}` : `${integer(done)} of ${integer(total)}`;
  return `${label}${stage} · ${amount}`;
}
