/**
 * Unstructured pruning, or a pattern of n weights kept of every m along the reduction axis; and whether input channels
 * may be reordered so that the pattern keeps more of the score.
 */
import { elementsOf } from "../elements.js";
import { patternOf, patternText, usualPatterns } from "../../../server/protocol/pattern.js";
import type { ViewStore } from "../state/store.js";
import { createChoice, type Option } from "./choice.js";

/** The choice of no pattern. */
const unstructured: Option = {
  id: "none",
  title: "Unstructured",
  meaning: "Weights go one by one, wherever their scores are lowest.",
  disabled: false,
};

/** Seconds that the search for a permutation of one set of channels may take. */
const searchSeconds = 1;

export interface PatternChoice {
  readonly element: HTMLElement;
  /** The box that permits permutations; it is there with a pattern only. */
  readonly permute: HTMLElement;
  show(): void;
}

/** Makes both. */
export function createPatternChoice(document: Document, store: ViewStore): PatternChoice {
  const h = elementsOf(document);
  const pattern = createChoice(document, "Pattern", store.live, (id) => {
    store.choosePattern(patternOf(id));
  });
  const box = h("input", { type: "checkbox", id: "permute", disabled: !store.live });
  box.addEventListener("change", () => {
    if (box.checked) store.choose({ permute: { seconds: searchSeconds } });
    else store.choose({}, ["permute"]);
  });
  const label = h(
    "label",
    {
      for: "permute",
      title:
        "Reorders channels through everything that makes or shares them, so that the pattern keeps more of the score. The network computes the same.",
    },
    "Permute channels",
  );
  const permute = h("span", { class: "permute", hidden: true }, box, label);
  return {
    element: pattern.element,
    permute,
    show() {
      const { pattern: chosen, permute: permuting } = store.recipe;
      const own = chosen === undefined ? [] : [patternText(chosen)];
      const offered = [...new Set([...usualPatterns.map(patternText), ...own])];
      pattern.show([unstructured, ...offered.map(option)], own[0] ?? unstructured.id);
      permute.hidden = chosen === undefined;
      box.checked = permuting !== undefined;
    },
  };
}

function option(id: string): Option {
  const [n, m] = id.split(":");
  const kernel = id === "2:4" ? " Sparse tensor cores take it for 16 and 8 bit." : "";
  return {
    id,
    title: id,
    meaning: `Keeps ${n} of every ${m} weights along the reduction axis.${kernel}`,
    disabled: false,
  };
}
