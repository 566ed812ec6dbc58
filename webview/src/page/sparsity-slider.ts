/**
 * The sparsity slider: a native range, the number beside it for exact values, and the rug of critical sparsities under
 * it.
 */
import { elementsOf, setText } from "../elements.js";
import { criticalRug } from "../plots/critical-rug.js";
import type { Change, ViewStore } from "../state/store.js";
import type { Analysis } from "../state/survey.js";
import { percent, percentDigits } from "../text/numbers.js";
import { onResize } from "./on-resize.js";

/** Largest sparsity of the range; the number field goes closer to 1. */
export const mostSparsity = 0.999;
const mostPercent = 99.9999;
/** Half of the thumb's width; media/view.css has the whole. */
const thumbRadius = 7;
const rugHeight = 8;

export interface SparsitySlider {
  readonly element: HTMLElement;
  /** In a saved report: the way back to the sparsity that has exact counts. */
  readonly home: HTMLElement;
  show(changes: ReadonlySet<Change>): void;
}

/** Makes the slider. */
export function createSparsitySlider(document: Document, store: ViewStore): SparsitySlider {
  const h = elementsOf(document);
  const range = h("input", {
    type: "range",
    class: "range",
    id: "sparsity",
    min: 0,
    max: mostSparsity,
    step: 0.001,
    "aria-label": "Sparsity",
  });
  const number = h("input", {
    type: "number",
    class: "number",
    id: "sparsity-percent",
    min: 0,
    max: mostPercent,
    step: 0.1,
    "aria-label": "Sparsity in percent",
    autocomplete: "off",
  });
  const rug = h("div", { class: "rug-frame", "aria-hidden": "true" });
  const home = h("button", { type: "button", class: "link home", hidden: true });

  range.addEventListener("input", () => {
    store.slide(range.valueAsNumber);
  });
  range.addEventListener("change", () => {
    store.settle();
  });
  number.addEventListener("input", () => {
    const value = number.valueAsNumber;
    if (value >= 0 && value <= mostPercent) store.slide(fraction(value));
  });
  number.addEventListener("change", () => {
    const value = number.valueAsNumber;
    if (Number.isNaN(value)) show(new Set(["sparsity"]));
    else {
      store.slide(fraction(Math.max(0, Math.min(mostPercent, value))));
      number.value = percentDigits(store.sparsity);
    }
    store.settle();
  });
  home.addEventListener("click", () => {
    const own = store.view?.result?.report.sparsity;
    if (own === undefined) return;
    store.slide(own);
    store.settle();
  });

  let drawn: { analysis: Analysis | null; width: number } = { analysis: null, width: 0 };
  const drawRug = (): void => {
    const analysis = store.survey?.analysis ?? null;
    const width = rug.clientWidth;
    if (drawn.analysis === analysis && drawn.width === width) return;
    drawn = { analysis, width };
    if (analysis === null || width === 0) {
      rug.replaceChildren();
      return;
    }
    const criticals = analysis.layers.map((layer) => layer.criticalSparsity);
    rug.replaceChildren(
      criticalRug(criticals, { document, width, height: rugHeight, most: mostSparsity, inset: thumbRadius }),
    );
    const first = analysis.first < 0 ? null : analysis.layers[analysis.first]!.criticalSparsity;
    rug.title =
      first === null ? "" : `Each tick: a layer loses its last weight at this sparsity; the first at ${percent(first)}`;
  };
  onResize(rug, drawRug);

  const show = (changes: ReadonlySet<Change>): void => {
    if (changes.has("state")) {
      const usable = (store.view?.model?.layers.length ?? 0) > 0;
      range.disabled = number.disabled = !usable;
      drawRug();
    }
    if (!changes.has("sparsity")) return;
    const sparsity = store.sparsity;
    if (range.valueAsNumber !== sparsity) range.value = String(sparsity);
    range.style.setProperty("--fill", `${(Math.min(sparsity, mostSparsity) / mostSparsity) * 100}%`);
    range.setAttribute("aria-valuetext", percent(sparsity));
    // What is being typed is not rewritten under the cursor.
    const digits = percentDigits(sparsity);
    if (document.activeElement !== number && number.value !== digits) number.value = digits;
    if (!store.live) {
      const own = store.view?.result?.report.sparsity;
      home.hidden = own === undefined || own === sparsity;
      if (own !== undefined) setText(home, `Back to ${percent(own)}, where counts are exact`);
    }
  };

  const element = h(
    "div",
    { class: "sparsity" },
    h("label", { class: "sparsity-label", for: "sparsity" }, "Sparsity"),
    h("div", { class: "sparsity-track" }, range, rug),
    h("span", { class: "sparsity-number" }, number, h("span", { "aria-hidden": "true" }, "%")),
  );
  return { element, home, show };
}

/** Percent to a fraction without the noise of a division: 97.2 becomes 0.972. */
function fraction(value: number): number {
  return Number((value / 100).toFixed(8));
}
