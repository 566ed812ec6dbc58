/**
 * Distribution of scores on a logarithmic axis: how many scores lie in each bin, what lies under the threshold (which
 * goes) set apart from what lies above it (which is kept).
 */
import * as Plot from "@observablehq/plot";
import type { Histogram } from "../state/histogram.js";
import { compact } from "../text/numbers.js";
import { drawFigure, pixels, svgElement, type Figure, type PlotOptions } from "./frame.js";

export interface ScoreDistributionData {
  readonly histogram: Histogram;
  /** Score of the weakest weight that is kept; null draws no line: all are kept, or no single line divides them. */
  readonly threshold: number | null;
}

interface Drawn extends Figure {
  readonly line: SVGLineElement;
  readonly window: SVGRectElement;
  readonly left: number;
  readonly right: number;
  shown: number | null | undefined;
}

const drawings = new WeakMap<SVGSVGElement, Drawn>();
const margin = { left: 42, right: 12, top: 8, bottom: 40 };
let figures = 0;

/** Draws the plot. */
export function scoreDistribution(data: ScoreDistributionData, options: PlotOptions): SVGSVGElement {
  const { document } = options;
  const { histogram } = data;
  const bins = Array.from({ length: histogram.counts.length }, (_, i) => i);
  // The axis is linear in log2 of the score, so that it holds whatever a double can.
  const edge = (i: number): number => (histogram.first + i) / histogram.perOctave;
  const low = edge(0);
  const high = edge(bins.length);
  const ticks = scoreTicks(low, high);
  const bars = (className: string): Plot.Markish =>
    Plot.rect(bins, {
      className,
      x1: edge,
      x2: (i: number) => edge(i + 1),
      y1: 0,
      y2: (i: number) => histogram.counts[i]!,
    });
  const figure = drawFigure(options, {
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    x: { domain: [low, high], label: null },
    y: { zero: true, nice: true, label: null },
    marks: [
      Plot.gridY({ ticks: 4, className: "plot-grid" }),
      Plot.axisY({ ticks: 4, tickSize: 0, tickFormat: compact }),
      Plot.axisX(
        ticks.map((tick) => tick.at),
        {
          tickSize: 4,
          label: "score, logarithmic →",
          labelAnchor: "right",
          labelOffset: 35,
          tickFormat: (at: number) => ticks.find((tick) => tick.at === at)?.text ?? "",
        },
      ),
      bars("plot-removed"),
      bars("plot-kept"),
    ],
  });
  const [left, right] = [figure.x(low), figure.x(high)];
  const window = svgElement(document, "rect", { y: 0, height: options.height });
  const clip = svgElement(document, "clipPath", { id: `plot-kept-${figures++}` });
  clip.append(window);
  const kept = figure.svg.querySelector(".plot-kept");
  kept?.setAttribute("clip-path", `url(#${clip.id})`);
  const line = svgElement(document, "line", {
    class: "plot-threshold",
    y1: margin.top - 4,
    y2: options.height - margin.bottom + 4,
  });
  figure.svg.append(clip, line);
  drawings.set(figure.svg, { ...figure, line, window, left, right, shown: undefined });
  updateScoreDistribution(figure.svg, data.threshold);
  return figure.svg;
}

/** Moves the threshold in place. */
export function updateScoreDistribution(svg: SVGSVGElement, threshold: number | null): void {
  const drawn = drawings.get(svg);
  if (drawn === undefined) throw new Error("not a score distribution");
  if (threshold === drawn.shown) return;
  drawn.shown = threshold;
  const { left, right, line, window, x } = drawn;
  // A threshold of 0 has no logarithm, and one of Infinity no place: both lie at an end.
  const at = threshold === null || threshold <= 0 ? left : threshold === Infinity ? right : x(Math.log2(threshold));
  const inside = Math.min(right, Math.max(left, at));
  window.setAttribute("x", pixels(inside));
  window.setAttribute("width", pixels(Math.max(0, right - inside)));
  line.setAttribute("visibility", threshold === null ? "hidden" : "visible");
  line.setAttribute("x1", pixels(inside));
  line.setAttribute("x2", pixels(inside));
  if (threshold === null) line.removeAttribute("data-threshold");
  else line.setAttribute("data-threshold", String(threshold));
}

/**
 * Powers of ten inside a range of log2 scores, thinned to a handful; 1, 2, 5 steps when the range is shorter than three
 * decades.
 */
function scoreTicks(low: number, high: number): { readonly at: number; readonly text: string }[] {
  const decade = Math.log2(10);
  const first = Math.floor(low / decade);
  const last = Math.ceil(high / decade);
  const every = Math.max(1, Math.ceil((last - first) / 7));
  const factors = last - first <= 3 ? [1, 2, 5] : [1];
  const ticks: { at: number; text: string }[] = [];
  for (let power = first; power <= last; power++) {
    if (power % every !== 0) continue;
    for (const factor of factors) {
      const at = power * decade + Math.log2(factor);
      if (at >= low && at <= high) ticks.push({ at, text: tickText(factor, power) });
    }
  }
  return ticks;
}

function tickText(factor: number, power: number): string {
  // Written, not computed: 10 ** -4 is not 1e-4.
  if (power >= -3 && power < 5) return String(Number(`${factor}e${power}`));
  return `${factor}e${power}`.replace("-", "−");
}
