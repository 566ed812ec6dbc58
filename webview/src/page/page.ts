/**
 * The page: which parts there are, in what order, and which of them a state shows. Parts are made once and told what
 * changed.
 */
import { elementsOf, setText } from "../elements.js";
import { createCollapseSection } from "../insights/collapse-section.js";
import { createHeldSection } from "../insights/held-section.js";
import { createMeasureSection } from "../insights/measure-section.js";
import { createPatternSection } from "../insights/pattern-section.js";
import { createRemediesSection } from "../insights/remedies-section.js";
import { createTheorySection } from "../insights/theory-section.js";
import type { ViewStore } from "../state/store.js";
import { createFailure } from "./activity.js";
import { createControls } from "./controls.js";
import { createDensityFigure } from "./density-figure.js";
import { createHeader } from "./header.js";
import { createHeadlineLine } from "./headline-line.js";
import { createLayerDetail } from "./layer-detail.js";
import { createLayerSection } from "./layer-section.js";
import { createLoading } from "./loading.js";
import { createParityLine } from "./parity-line.js";
import { createProvenance } from "./provenance.js";
import { createSavedPanel } from "./saved-panel.js";
import { createScoreFigure } from "./score-figure.js";

/** The state that the whole page is in; it stands in `body[data-state]`. */
export type PageState = "loading" | "ready" | "failed" | "empty";

/** What the page is, from what is known. Without numbers it is loading, or failed when nobody works on them. */
export function pageState(store: ViewStore): PageState {
  const { view, survey } = store;
  if (survey !== null && survey.model.layers.length === 0) return "empty";
  if (survey?.analysis) return "ready";
  return view?.activity.kind === "failed" ? "failed" : "loading";
}

/** Builds the page into `root` and keeps it in step with the store. */
export function mountPage(document: Document, root: HTMLElement, store: ViewStore): void {
  const h = elementsOf(document);
  const header = createHeader(document);
  const banner = h("p", { class: "banner", role: "status", hidden: true });
  const failure = createFailure(document, store);
  const loading = createLoading(document, store);
  const empty = h(
    "section",
    { class: "empty", hidden: true },
    h("h2", {}, "Nothing here can be pruned"),
    h(
      "p",
      {},
      "Weights of convolutions, matrix products with a constant and recurrent layers can be; this model has none of them. " +
        "Biases, norm parameters, embeddings and positional constants are left as they are.",
    ),
  );
  const controls = createControls(document, store);
  const headline = createHeadlineLine(document, store);
  const parity = createParityLine(document, store);
  const provenance = createProvenance(document, store);
  const saved = createSavedPanel(document);
  const density = createDensityFigure(document, store);
  const scores = createScoreFigure(document, store);
  const plots = h("div", { class: "plots" }, density.element, scores.element);
  const detail = createLayerDetail(document, store);
  const layers = createLayerSection(document, store);
  const insights = [
    createHeldSection,
    createPatternSection,
    createCollapseSection,
    createTheorySection,
    createMeasureSection,
    createRemediesSection,
  ].map((create) => create(document, store));
  root.replaceChildren(
    header.element,
    banner,
    failure.element,
    loading.element,
    empty,
    controls.element,
    headline.element,
    parity.element,
    provenance.element,
    saved.element,
    plots,
    detail.element,
    layers.element,
    ...insights.map(({ element }) => element),
  );
  root.classList.add("page");
  failure.element.hidden = true;

  store.subscribe((changes) => {
    const { view, survey } = store;
    const state = pageState(store);
    if (changes.has("state") || changes.has("activity")) {
      const activity = view?.activity ?? { kind: "idle" };
      document.body.dataset["state"] = state;
      document.body.dataset["activity"] = activity.kind;
      document.body.dataset["mode"] = view?.mode ?? "editor";
      header.show(view);
      banner.hidden = view?.banner === null || view?.banner === undefined;
      setText(banner, view?.banner ?? "");
      failure.show(activity);
      loading.show(activity);
      empty.hidden = state !== "empty";
      const layered = survey !== null && survey.model.layers.length > 0;
      for (const part of [controls, headline, layers]) part.element.hidden = !layered;
      // While statistics are on their way their place is kept, so that the table does not jump.
      plots.hidden = !layered || (survey.analysis === null && activity.kind !== "working");
      parity.show();
      saved.show(view?.saved ?? null, survey?.model.bytes ?? null);
    }
    controls.show(changes);
    if (changes.has("state") || changes.has("sparsity") || changes.has("activity")) headline.show();
    if (changes.has("state") || changes.has("recipe") || changes.has("activity")) provenance.show();
    density.show(changes);
    scores.show(changes);
    layers.show(changes);
    for (const section of insights) section.show(changes);
    if (changes.has("state") || changes.has("selection") || (changes.has("sparsity") && store.rest)) detail.show();
    document.body.dataset["rest"] = String(store.rest);
  });
}
