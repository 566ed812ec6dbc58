/**
 * The table's header: a button a column that sorts by it, and the state of the sort for those who cannot see the
 * arrow.
 */
import { elementsOf, setAttribute } from "../elements.js";
import { firstDirection } from "../state/layer-order.js";
import type { ViewStore } from "../state/store.js";
import { columns } from "./columns.js";

export interface Head {
  readonly element: HTMLElement;
  show(store: ViewStore): void;
}

/** Makes the header row. */
export function createHead(document: Document, store: ViewStore): Head {
  const h = elementsOf(document);
  const cells = columns.map((column, index) => {
    const arrow = h("span", { class: "sort-arrow", "aria-hidden": "true" });
    const button = h("button", { type: "button", title: column.meaning }, column.title, arrow);
    button.addEventListener("click", () => {
      const { sort } = store.choices;
      const again = sort.column === column.id;
      store.arrange({
        sort: { column: column.id, descending: again ? !sort.descending : firstDirection(column.id) },
      });
    });
    const cell = h(
      "div",
      {
        role: "columnheader",
        "aria-colindex": index + 1,
        class: `cell cell-${column.id}${column.numeric ? " cell-number" : ""}`,
      },
      button,
    );
    return { id: column.id, cell, arrow };
  });
  return {
    element: h("div", { role: "row", class: "row row-head", "aria-rowindex": 1 }, ...cells.map(({ cell }) => cell)),
    show({ choices: { sort } }) {
      for (const { id, cell, arrow } of cells) {
        const sorted = sort.column === id;
        setAttribute(cell, "aria-sort", sorted ? (sort.descending ? "descending" : "ascending") : "none");
        arrow.textContent = sorted ? (sort.descending ? "▾" : "▴") : "";
      }
    },
  };
}
