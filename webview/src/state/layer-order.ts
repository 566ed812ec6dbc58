/**
 * Which layers the table shows, and in what order: a plain-text filter, and a stable sort by one column. Rows without
 * a value come last in either direction.
 */
import type { LayerView } from "../../../server/protocol/model.js";
import type { Risk } from "../../../server/protocol/report.js";

export const columnIds = [
  "depth",
  "weight",
  "op",
  "density",
  "kept",
  "risk",
  "critical",
  "excluded",
  "shape",
  "parameters",
  "zeros",
  "mean",
  "rms",
  "max",
] as const;
export type ColumnId = (typeof columnIds)[number];

export interface Sort {
  readonly column: ColumnId;
  readonly descending: boolean;
}

/** What a column holds for a layer, to compare by; null when nothing is known. */
export type SortValue = number | string | null;

/** Whether `value` names a column. */
export function isColumnId(value: unknown): value is ColumnId {
  return columnIds.some((id) => id === value);
}

/** The order that a first click on a header gives: names and depth ascend, numbers start with the largest. */
export function firstDirection(column: ColumnId): boolean {
  return !(column === "depth" || column === "weight" || column === "op" || column === "critical");
}

const severity: Readonly<Record<Risk, number>> = { none: 0, "no-signal": 1, low: 2, high: 3, collapsed: 4 };

/** How bad a risk is, to sort by. */
export function riskSeverity(risk: Risk): number {
  return severity[risk];
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * Indices of the layers to show. The filter is a case-insensitive substring of name, operator, weight or id; several
 * words must all be found.
 * @param value what `sort.column` holds for the layer at an index.
 */
export function orderLayers(
  layers: readonly LayerView[],
  filter: string,
  sort: Sort,
  value: (layer: number) => SortValue,
): number[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown: number[] = [];
  for (let l = 0; l < layers.length; l++) if (matches(layers[l]!, words)) shown.push(l);
  if (sort.column === "depth") return sort.descending ? shown.reverse() : shown;
  const values = new Map(shown.map((l) => [l, value(l)]));
  const sign = sort.descending ? -1 : 1;
  return shown.sort((a, b) => {
    const x = values.get(a) ?? null;
    const y = values.get(b) ?? null;
    if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1;
    return sign * compare(x, y) || a - b;
  });
}

function matches(layer: LayerView, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = `${layer.name}\n${layer.op}\n${layer.weight}\n${layer.id}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function compare(x: number | string, y: number | string): number {
  return typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y));
}
