/**
 * The table with its title and filter.
 */
import { elementsOf, setText } from "../elements.js";
import type { Change, ViewStore } from "../state/store.js";
import { createGrid } from "../table/grid.js";
import { counted, integer } from "../text/numbers.js";

export interface LayerSection {
  readonly element: HTMLElement;
  show(changes: ReadonlySet<Change>): void;
}

/** Makes the section. */
export function createLayerSection(document: Document, store: ViewStore): LayerSection {
  const h = elementsOf(document);
  const grid = createGrid(document, store);
  const filter = h("input", {
    type: "search",
    class: "filter",
    placeholder: "Filter by name, operator or weight",
    "aria-label": "Filter layers",
    spellcheck: "false",
    autocomplete: "off",
  });
  const count = h("span", { class: "layer-count", role: "status" });
  const nothing = h("p", { class: "nothing" });
  filter.addEventListener("input", () => {
    store.arrange({ filter: filter.value });
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") grid.element.focus();
  });
  return {
    element: h(
      "section",
      { class: "layers", "aria-label": "Layers" },
      h("div", { class: "layers-head" }, h("h2", {}, "Layers"), count, filter),
      grid.element,
      nothing,
    ),
    show(changes) {
      if (filter.value !== store.choices.filter) filter.value = store.choices.filter;
      grid.show(changes);
      const total = store.survey?.model.layers.length ?? 0;
      const all = grid.shown === total;
      setText(count, all ? counted(total, "layer") : `${integer(grid.shown)} of ${counted(total, "layer")}`);
      nothing.hidden = grid.shown > 0 || total === 0;
      setText(nothing, `No layer has “${store.choices.filter.trim()}” in its name, operator or weight.`);
    },
  };
}
