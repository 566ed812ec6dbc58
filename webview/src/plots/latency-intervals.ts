/**
 * Latencies with their spread: a row for each, a line between the quartiles with a bar at the median, on one axis that
 * begins at 0. Where lines lie over each other the difference is no more than the machine's own unrest.
 */
import * as Plot from "@observablehq/plot";
import type { Latency } from "../../../server/protocol/compare.js";
import { drawFigure, type Figure, type PlotOptions } from "./frame.js";

/** A latency and what it is called. */
export interface NamedLatency extends Pick<Latency, "high" | "low" | "median"> {
  readonly name: string;
}

/** Draws a row for each latency, in milliseconds. */
export function latencyIntervals(latencies: readonly NamedLatency[], options: PlotOptions): Figure {
  const rows = latencies.map(({ name }) => name);
  const most = Math.max(...latencies.map(({ high }) => high));
  const y = "name";
  return drawFigure(options, {
    marginLeft: 64,
    marginRight: 12,
    marginTop: 4,
    marginBottom: 32,
    x: { label: "Milliseconds", domain: [0, most > 0 ? most * 1.05 : 1], nice: true, labelAnchor: "right", ticks: 6 },
    y: { type: "band", domain: rows, label: null, padding: 0.35, tickSize: 0 },
    marks: [
      Plot.gridX({ className: "interval-grid" }),
      Plot.ruleY(latencies, { y, x1: "low", x2: "high", className: "interval-line" }),
      Plot.tickX(latencies, { y, x: "median", className: "interval-median" }),
      Plot.axisX({ ticks: 6, label: "Milliseconds", labelAnchor: "right" }),
      Plot.axisY({ tickSize: 0, label: null }),
    ],
  });
}
