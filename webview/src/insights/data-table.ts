/**
 * The numbers behind a figure as a table: rows are made a few at a time, so that five hundred of them hold up nothing.
 */
import { elementsOf, type Child } from "../elements.js";
import type { ViewStore } from "../state/store.js";

export interface Column {
  readonly title: string;
  /** Shown when the pointer rests on the header. */
  readonly meaning?: string;
  readonly numeric?: boolean;
}

export interface DataTable {
  readonly element: HTMLElement;
  /** Marks a row, or with -1 none. */
  mark(row: number): void;
}

/** Rows made in one go. */
const batch = 24;

/** Makes a table of `count` rows; the first cell of each heads it. */
export function createDataTable(
  document: Document,
  store: Pick<ViewStore, "later">,
  caption: string,
  columns: readonly Column[],
  count: number,
  cells: (row: number) => readonly Child[],
): DataTable {
  const h = elementsOf(document);
  const body = h("tbody");
  const rows: HTMLElement[] = [];
  let marked = -1;
  const more = (): void => {
    const end = Math.min(count, rows.length + batch);
    while (rows.length < end) {
      const row = h("tr");
      for (const [c, child] of cells(rows.length).entries()) {
        const numeric = columns[c]?.numeric === true ? "cell-number" : undefined;
        row.append(c === 0 ? h("th", { scope: "row" }, child) : h("td", { class: numeric }, child));
      }
      rows.push(row);
      body.append(row);
    }
    rows[marked]?.classList.add("row-marked");
    if (rows.length < count) store.later(more);
  };
  more();
  const head = columns.map(({ title, meaning, numeric }) =>
    h("th", { scope: "col", title: meaning, class: numeric === true ? "cell-number" : undefined }, title),
  );
  return {
    element: h(
      "div",
      // A narrow window scrolls it, which the keyboard has to reach.
      { class: "table-frame data-table", role: "group", tabindex: 0, "aria-label": caption },
      h(
        "table",
        { class: "small-table" },
        h("caption", { class: "unseen" }, caption),
        h("thead", {}, h("tr", {}, ...head)),
        body,
      ),
    ),
    mark(row) {
      if (row === marked) return;
      rows[marked]?.classList.remove("row-marked");
      rows[row]?.classList.add("row-marked");
      marked = row;
    },
  };
}

/** The same behind a line that opens it; it is made when it is opened first. */
export function foldedTable(document: Document, summary: string, make: () => DataTable): DataTable {
  const h = elementsOf(document);
  const element = h("details", { class: "disclosure fold" }, h("summary", {}, summary));
  let table: DataTable | null = null;
  let marked = -1;
  element.addEventListener("toggle", () => {
    if (!element.open || table !== null) return;
    table = make();
    table.mark(marked);
    element.append(table.element);
  });
  return {
    element,
    mark(row) {
      marked = row;
      table?.mark(row);
    },
  };
}
