/** Layer by layer: what is left in each model, as bars, and how much of it is still what it was. */
import type { ComparedLayer } from "../../../server/protocol/compare.js";
import { elementsOf, type Child, type ElementFactory } from "../elements.js";
import { createDataTable, type Column } from "../insights/data-table.js";
import type { Chores } from "../state/chores.js";
import { shapeText, shorten } from "../text/names.js";
import { columnPercent, integer } from "../text/numbers.js";

const columns: readonly Column[] = [
  { title: "Layer", meaning: "Name of the weight in the file" },
  { title: "Operator" },
  { title: "Shape", meaning: "Shape of the weight as stored", numeric: true },
  { title: "Parameters", numeric: true },
  { title: "Original", meaning: "Share of the original's weights that are not 0", numeric: true },
  { title: "Pruned", meaning: "Share of the pruned model's weights that are not 0", numeric: true },
  { title: "Unchanged", meaning: "Share of what is not 0 in the pruned model that is the same number", numeric: true },
];

/** Makes the table; rows come a few at a time. */
export function createLayers(document: Document, layers: readonly ComparedLayer[], chores: Chores): HTMLElement {
  const h = elementsOf(document);
  const store = {
    later: (chore: () => void): void => {
      chores.add(chore);
    },
  };
  return createDataTable(document, store, "Layers of both models", columns, layers.length, (row): readonly Child[] => {
    const { id, op, shape, parameters, zeros, unchanged } = layers[row]!;
    return [
      h("code", { title: id, "data-layer": id }, shorten(id, 48)),
      op,
      shapeText(shape),
      integer(parameters),
      density(h, zeros.original, parameters),
      density(h, zeros.pruned, parameters),
      unchanged === null ? "—" : columnPercent(unchanged),
    ];
  }).element;
}

/** A bar with its number; a dash where the model has no such layer. */
function density(h: ElementFactory, zeros: number | null, parameters: number): Child {
  if (zeros === null) return "—";
  const share = parameters === 0 ? 0 : 1 - zeros / parameters;
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  bar.style.backgroundSize = `${share * 100}% 100%`;
  return h(
    "span",
    { class: "density-cell", "data-density": share },
    bar,
    h("span", { class: "bar-number" }, columnPercent(share)),
  );
}
