/** Small tables of a comparison: a caption for those who cannot see it, heads, and rows whose first cell heads them. */
import { elementsOf, type Child } from "../elements.js";

export interface SmallRow {
  readonly name: string;
  readonly cells: readonly Child[];
  /** Said of the row when the pointer rests on its name. */
  readonly meaning?: string;
}

/** A table; columns after the first hold numbers. */
export function smallTable(
  document: Document,
  caption: string,
  heads: readonly Child[],
  rows: readonly SmallRow[],
): HTMLElement {
  const h = elementsOf(document);
  const [corner = "", ...columns] = heads;
  return h(
    "div",
    // A narrow window scrolls it, which the keyboard has to reach.
    { class: "table-frame", role: "group", tabindex: 0, "aria-label": caption },
    h(
      "table",
      { class: "small-table" },
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          corner === "" ? h("td") : h("th", { scope: "col" }, corner),
          ...columns.map((head) => h("th", { scope: "col", class: "cell-number" }, head)),
        ),
      ),
      h(
        "tbody",
        {},
        ...rows.map(({ name, cells, meaning }) =>
          h(
            "tr",
            { "data-row": name },
            h("th", { scope: "row", title: meaning }, name),
            ...cells.map((cell) => h("td", { class: "cell-number" }, cell)),
          ),
        ),
      ),
    ),
  );
}
