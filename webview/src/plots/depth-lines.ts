/**
 * Quantities over depth: one place a layer, a line with points for what was measured, a dashed line for what theory
 * foretells, a thin straight one for an exponential fit. The axis is linear or logarithmic.
 */
import * as Plot from "@observablehq/plot";
import { depthTicks } from "./depth-ticks.js";
import { drawFigure, pixels, svgElement, type Figure, type PlotOptions } from "./frame.js";

export interface DepthSeries {
  /** Class of the line, by which the style sheet tells series apart: `measured`, `predicted`, `second`, `fit`. */
  readonly look: "measured" | "second" | "predicted" | "fit";
  /** By layer, in depth order; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface DepthLinesData {
  readonly series: readonly DepthSeries[];
  readonly logarithmic: boolean;
  /** Where a line across says what is neutral: a gain of 1, say. */
  readonly neutral?: number;
  /** Ends of the axis that it has at least. */
  readonly least?: readonly [number, number];
}

interface Drawn extends Figure {
  readonly count: number;
  readonly marked: SVGRectElement;
}

const drawings = new WeakMap<SVGSVGElement, Drawn>();
const margin = { left: 52, right: 14, top: 10, bottom: 30 };
/** Narrowest place of a layer at which points are drawn, in pixels. */
const leastStep = 5;

/** Draws the plot. Values that a logarithm cannot show are left out. */
export function depthLines(data: DepthLinesData, options: PlotOptions): SVGSVGElement {
  const { document } = options;
  const { series, logarithmic, neutral, least } = data;
  const count = Math.max(1, ...series.map(({ values }) => values.length));
  const shown = (value: number | null): value is number =>
    value !== null && Number.isFinite(value) && (!logarithmic || value > 0);
  const place = (value: number): number => (logarithmic ? Math.log10(value) : value);
  const all = series.flatMap(({ values }) => values.filter(shown).map(place));
  for (const value of [neutral, ...(least ?? [])]) if (value !== undefined && shown(value)) all.push(place(value));
  const [low, high] = padded(all);
  const step = (options.width - margin.left - margin.right) / count;
  const figure = drawFigure(options, {
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    x: { domain: [0, count], axis: null },
    y: { domain: [low, high], label: null },
    marks: [
      Plot.gridY(valueTicks(low, high, logarithmic), { className: "plot-grid" }),
      Plot.axisY(valueTicks(low, high, logarithmic), {
        tickSize: 0,
        tickFormat: (at: number) => tickText(at, logarithmic),
      }),
      Plot.axisX(depthTicks(count), { tickSize: 4, label: null, tickFormat: (center: number) => String(center + 0.5) }),
    ],
  });
  const { svg, x, y } = figure;
  const marked = svgElement(document, "rect", {
    class: "plot-marked",
    y: y(high),
    height: pixels(y(low) - y(high)),
    width: pixels(Math.max(step, 3)),
    visibility: "hidden",
  });
  svg.insertBefore(marked, svg.firstChild);
  if (neutral !== undefined && shown(neutral)) {
    const at = pixels(y(place(neutral)));
    svg.append(
      svgElement(document, "path", { class: "lines-neutral", d: `M${pixels(x(0))},${at}H${pixels(x(count))}` }),
    );
  }
  for (const { look, values } of series) {
    const at = values.map((value, l) => (shown(value) ? ([x(l + 0.5), y(place(value))] as const) : null));
    const line = at.map((point, l) =>
      point === null ? "" : `${l > 0 && at[l - 1] != null ? "L" : "M"}${pixels(point[0])},${pixels(point[1])}`,
    );
    svg.append(svgElement(document, "path", { class: `lines lines-${look}`, d: line.join("") }));
    if (look === "fit" || (look === "predicted" && step < 3 * leastStep) || step < leastStep) continue;
    const points = at.map((point) => (point === null ? "" : pointPath(point[0], point[1], look)));
    svg.append(svgElement(document, "path", { class: `points points-${look}`, d: points.join("") }));
  }
  drawings.set(svg, { ...figure, count, marked });
  return svg;
}

/** Puts a band behind one layer, or with null takes it away. */
export function markDepth(svg: SVGSVGElement, layer: number | null): void {
  const { marked, x, count } = drawnLines(svg);
  const visible = layer !== null && layer >= 0 && layer < count;
  marked.setAttribute("visibility", visible ? "visible" : "hidden");
  if (visible) marked.setAttribute("x", pixels(x(layer + 0.5) - Number(marked.getAttribute("width")) / 2));
}

/** The layer at a horizontal position inside the plot, or null beside the lines. */
export function depthAt(svg: SVGSVGElement, position: number): number | null {
  const { x, count } = drawnLines(svg);
  const layer = Math.floor((position - x(0)) / (x(1) - x(0)));
  return layer >= 0 && layer < count ? layer : null;
}

/** Horizontal middle of a layer's place. */
export function depthMiddle(svg: SVGSVGElement, layer: number): number {
  return drawnLines(svg).x(layer + 0.5);
}

function drawnLines(svg: SVGSVGElement): Drawn {
  const found = drawings.get(svg);
  if (found === undefined) throw new Error("not lines over depth");
  return found;
}

/** The range of the values with a little room; a range of one value gets some around it. */
function padded(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room =
    high - low < 1e-9 * Math.max(1, Math.abs(low)) ? Math.max(0.5, Math.abs(low) * 0.05) : (high - low) * 0.08;
  return [low - room, high + room];
}

/** Places of the ticks: whole powers of ten on a logarithmic axis that has room for two of them, else round numbers. */
function valueTicks(low: number, high: number, logarithmic: boolean): number[] {
  const span = high - low;
  if (logarithmic && span < 1.3) {
    const values = [1, 2, 3, 5].flatMap((factor) =>
      Array.from({ length: 4 }, (_, i) => Math.floor(low) + i + Math.log10(factor)),
    );
    const inside = values.filter((at) => at >= low && at <= high).sort((a, b) => a - b);
    if (inside.length >= 2) return inside;
    return linearTicks(10 ** low, 10 ** high).map((value) => Math.log10(value));
  }
  if (!logarithmic) return linearTicks(low, high);
  const every = Math.max(1, Math.ceil(span / 5));
  const first = Math.ceil(low / every) * every;
  return Array.from({ length: Math.floor((high - first) / every) + 1 }, (_, i) => first + i * every);
}

function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function tickText(at: number, logarithmic: boolean): string {
  if (!logarithmic) return String(Number(at.toPrecision(3))).replace("-", "−");
  if (Number.isInteger(at) && (at < -3 || at > 4)) return `1e${at}`.replace("-", "−");
  return String(Number((10 ** at).toPrecision(3)));
}

/** A dot for what was measured, a square for a second quantity, a hollow ring for what is foretold. */
function pointPath(x: number, y: number, look: DepthSeries["look"]): string {
  if (look === "second") return `M${pixels(x - 2.5)},${pixels(y - 2.5)}h5v5h-5z`;
  return `M${pixels(x - 2.75)},${pixels(y)}a2.75,2.75 0 1 1 5.5,0a2.75,2.75 0 1 1 -5.5,0z`;
}
