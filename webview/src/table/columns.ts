/**
 * The columns of the table: titles, what they mean, and what they compare by when they are sorted. What happens to a
 * layer stands first, what it is and how its scores look after that.
 */
import { layerLabel } from "../text/names.js";
import { riskSeverity, type ColumnId, type SortValue } from "../state/layer-order.js";
import type { ViewStore } from "../state/store.js";

export interface Column {
  readonly id: ColumnId;
  readonly title: string;
  /** Shown when the pointer rests on the header, and read with it. */
  readonly meaning: string;
  readonly numeric: boolean;
}

export const columns: readonly Column[] = [
  { id: "depth", title: "#", meaning: "Position in depth order", numeric: true },
  { id: "weight", title: "Layer", meaning: "Name of the weight in the file", numeric: false },
  { id: "op", title: "Operator", meaning: "Operator that uses the weight", numeric: false },
  { id: "density", title: "Density", meaning: "Share of the layer's weights that is kept", numeric: true },
  { id: "kept", title: "Kept", meaning: "Number of the layer's weights that are kept", numeric: true },
  { id: "risk", title: "Risk", meaning: "How close the layer is to losing all its weights", numeric: false },
  { id: "critical", title: "Gone at", meaning: "Sparsity at which the layer's last weight goes", numeric: true },
  { id: "excluded", title: "Exclude", meaning: "Leave the layer dense", numeric: false },
  { id: "shape", title: "Shape", meaning: "Shape of the weight as stored", numeric: true },
  { id: "parameters", title: "Parameters", meaning: "Number of weights in the layer", numeric: true },
  { id: "zeros", title: "Zeros", meaning: "Share of scores that are exactly 0", numeric: true },
  { id: "mean", title: "Mean", meaning: "Mean score", numeric: true },
  { id: "rms", title: "RMS", meaning: "Root mean square of the scores", numeric: true },
  { id: "max", title: "Max", meaning: "Largest score", numeric: true },
];

/** What a column holds for layer `l` now, to sort by. */
export function sortValue(store: ViewStore, column: ColumnId, l: number): SortValue {
  const layer = store.survey?.model.layers[l];
  if (layer === undefined) return null;
  const report = store.survey?.analysis?.layers[l];
  const counts = store.counts;
  switch (column) {
    case "depth":
      return l;
    case "weight":
      return layerLabel(layer);
    case "op":
      return layer.op;
    case "shape":
    case "parameters":
      return layer.parameters;
    case "excluded":
      return store.recipe.exclude.includes(layer.id) ? 1 : 0;
    case "density":
      return counts?.density[l] ?? null;
    case "kept":
      return counts?.kept[l] ?? null;
    case "risk":
      return counts === null ? null : riskSeverity(counts.risks[l]!);
    case "critical":
      return report?.criticalSparsity ?? null;
    case "zeros":
      return report?.score?.zeroShare ?? null;
    case "mean":
    case "rms":
    case "max":
      return report?.score?.[column] ?? null;
  }
}
