/**
 * The table of layers: a scroller with a fixed row height that holds only the rows in view, so that five thousand
 * layers cost as much as fifty. It is one tab stop; arrow keys move through it, Enter selects, Space excludes.
 */
import { elementsOf, setAttribute } from "../elements.js";
import { orderLayers } from "../state/layer-order.js";
import type { Change, ViewStore } from "../state/store.js";
import { columns, sortValue } from "./columns.js";
import { createHead } from "./head.js";
import { createRow, rowId, type Row } from "./row.js";
import { rowAfterKey, rowHeight, rowWindow, scrollTo } from "./window.js";
import { onResize } from "../page/on-resize.js";

export interface Grid {
  readonly element: HTMLElement;
  /** Number of layers that the filter lets through. */
  readonly shown: number;
  show(changes: ReadonlySet<Change>): void;
}

/** Least height of a table that has enough rows to fill it, in pixels. */
const leastHeight = 170;

/** Makes the table and wires its keys and clicks to the store. */
export function createGrid(document: Document, store: ViewStore): Grid {
  const h = elementsOf(document);
  const head = createHead(document, store);
  const body = h("div", { role: "rowgroup", class: "rows" });
  const element = h(
    "div",
    {
      role: "grid",
      class: "grid",
      tabindex: 0,
      "aria-label": "Layers",
      "aria-colcount": columns.length,
    },
    h("div", { role: "rowgroup", class: "rows-head" }, head.element),
    body,
  );
  let order: number[] = [];
  let active = -1;
  const pool: Row[] = [];
  let bound = { first: -1, size: -1 };
  let restoreScroll = true;

  const viewHeight = (): number => Math.max(rowHeight, element.clientHeight - head.element.offsetHeight);

  /** Binds the rows in view; with `again` also those that were bound before. */
  const fill = (again: boolean): void => {
    const range = rowWindow(order.length, element.scrollTop, viewHeight());
    if (!again && range.first === bound.first && range.size === bound.size) return;
    bound = range;
    while (pool.length < range.size) pool.push(createRow(document));
    const unused = pool.splice(range.size);
    for (const row of unused) row.element.remove();
    for (const [i, row] of pool.entries()) {
      const position = range.first + i;
      row.bind(store, order[position]!, position);
      row.element.style.top = `${position * rowHeight}px`;
      if (row.element.parentNode !== body) body.append(row.element);
    }
    showMarks();
  };

  const showMarks = (): void => {
    const { selected } = store.choices;
    let activeShown = false;
    for (const row of pool) {
      const id = row.element.dataset["layerId"];
      setAttribute(row.element, "aria-selected", id === selected ? "true" : "false");
      row.element.classList.toggle("row-active", row.layer === active);
      activeShown ||= row.layer === active;
    }
    setAttribute(element, "aria-activedescendant", activeShown ? rowId(active) : undefined);
  };

  const reorder = (): void => {
    const layers = store.survey?.model.layers ?? [];
    const { filter, sort } = store.choices;
    order = orderLayers(layers, filter, sort, (l) => sortValue(store, sort.column, l));
    body.style.height = `${order.length * rowHeight}px`;
    // Room for every row and the scroll bar, up to what the style sheet allows.
    const most = (order.length + 1) * rowHeight + 20;
    element.style.maxHeight = `${most}px`;
    element.style.minHeight = `${Math.min(most, leastHeight)}px`;
    setAttribute(element, "aria-rowcount", order.length + 1);
    body.hidden = order.length === 0;
  };

  const reach = (l: number): void => {
    const position = order.indexOf(l);
    if (position < 0) return;
    element.scrollTop = scrollTo(position, element.scrollTop, viewHeight());
  };

  const layerOf = (event: Event): Row | undefined => {
    const target = event.target as Element | null;
    const found = target?.closest(".rows > .row");
    return pool.find((row) => row.element === found);
  };

  const toggleSelection = (l: number): void => {
    store.toggleAt(l);
  };

  element.addEventListener("scroll", () => {
    element.classList.toggle("grid-aside", element.scrollLeft > 0);
    fill(false);
    if (!restoreScroll) store.arrange({ scrollTop: element.scrollTop });
  });
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    const position = order.indexOf(active);
    const target = rowAfterKey(event.key, position, order.length, viewHeight());
    if (target !== null) {
      active = order[target]!;
      reach(active);
      fill(false);
      showMarks();
    } else if (event.key === "Enter" && position >= 0) {
      toggleSelection(active);
    } else if (event.key === " " && position >= 0 && store.live) {
      const id = store.survey!.model.layers[active]!.id;
      store.exclude(id, !store.recipe.exclude.includes(id));
    } else if (event.key === "Escape") {
      store.select(null);
    } else {
      return;
    }
    event.preventDefault();
  });
  body.addEventListener("click", (event) => {
    const row = layerOf(event);
    if (row === undefined || event.target === row.box) return;
    active = row.layer;
    toggleSelection(row.layer);
    showMarks();
  });
  body.addEventListener("change", (event) => {
    const row = layerOf(event);
    const id = row?.element.dataset["layerId"];
    if (row !== undefined && id !== undefined) store.exclude(id, row.box.checked);
  });
  onResize(element, () => {
    fill(false);
  });

  return {
    element,
    get shown() {
      return order.length;
    },
    show(changes) {
      const sortMoves = store.choices.sort.column === "density" || store.choices.sort.column === "kept";
      const resort = changes.has("sparsity") && store.rest && (sortMoves || store.choices.sort.column === "risk");
      if (changes.has("state") || changes.has("order") || changes.has("recipe") || resort) {
        head.show(store);
        reorder();
        if (restoreScroll && order.length > 0) {
          restoreScroll = false;
          element.scrollTop = store.choices.scrollTop;
        }
        fill(true);
      } else if (changes.has("sparsity")) {
        for (const row of pool) row.tick(store);
      }
      if (changes.has("selection")) {
        if (changes.has("reveal")) {
          active = store.survey?.indexOf.get(store.choices.selected ?? "") ?? -1;
          reach(active);
          fill(false);
        }
        showMarks();
      }
    },
  };
}
