/**
 * Kept density per layer, in depth order: one bar a layer, its height the density, its colour and the mark under it
 * the risk. The dashed line is the density of all layers together: bars under it give more than their share.
 */
import * as Plot from "@observablehq/plot";
import { depthTicks } from "./depth-ticks.js";
import { drawFigure, pixels, svgElement, type Figure, type PlotOptions } from "./frame.js";
import { glyphPath, type Standing } from "./risk-glyph.js";
import { createSilhouette, type Silhouette } from "./silhouette.js";

/** Arrays by layer, in depth order. They may be reused and changed between updates. */
export interface DensityData {
  readonly ids: readonly string[];
  /** In [0, 1]. */
  readonly density: ArrayLike<number>;
  readonly standing: readonly Standing[];
  /** Density over all layers. */
  readonly overall: number;
  /** Share that is kept and lies on a path through the network, NaN where unknown; the rest is drawn pale. */
  readonly effective?: ArrayLike<number> | null;
  /** The numbers are on their way: bars may be half a pixel off, and `data-density` waits until they rest. */
  readonly moving?: boolean;
}

interface Drawn extends Figure {
  /** One a layer. Where they are too narrow to be seen they are hidden, and only their attributes tell them apart. */
  readonly bars: readonly SVGRectElement[];
  /** What is seen instead of narrow bars. */
  readonly silhouette: Silhouette | null;
  /** One under each bar that is wide enough. */
  readonly glyphs: readonly SVGPathElement[];
  readonly glyphSize: number;
  readonly line: SVGLineElement;
  readonly marked: SVGRectElement;
  /** Over what is kept and on no path. */
  readonly ineffective: SVGPathElement;
  /** Left edge and width of each bar, as drawn. */
  readonly place: { readonly left: readonly number[]; readonly width: number };
  /** Heights in pixels, computed anew in each update. */
  readonly heights: Float64Array;
  /** What the attributes hold now, so that only changes are written. */
  readonly shown: {
    readonly density: Float64Array;
    readonly height: Float64Array;
    readonly standing: (Standing | null)[];
    overall: number;
  };
}

const drawings = new WeakMap<SVGSVGElement, Drawn>();
/** Widest bar with its gap, and the narrowest that is drawn by itself with a mark under it, in pixels. */
const widestStep = 56;
const leastBar = 5;
const margin = { left: 44, right: 14, top: 8, bottom: 40 };

/** Draws the plot. */
export function densityPlot(data: DensityData, options: PlotOptions): SVGSVGElement {
  const { document } = options;
  const count = data.ids.length;
  const inner = options.width - margin.left - margin.right;
  // A few layers do not fill the width: a bar is a bar, no wall.
  const room = Math.max(1, count, Math.ceil(inner / widestStep));
  const step = inner / room;
  const gap = step > 12 ? 2 : step > 5 ? 1 : step > 2 ? 0.5 : 0;
  const figure = drawFigure(options, {
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    x: { domain: [0, room], axis: null },
    y: { domain: [0, 1], label: null },
    marks: [
      Plot.gridY([0, 0.25, 0.5, 0.75, 1], { className: "plot-grid" }),
      Plot.axisY([0, 0.5, 1], { tickSize: 0, tickFormat: (share: number) => `${Math.round(share * 100)} %` }),
      Plot.axisX(depthTicks(count), {
        tickSize: 0,
        tickPadding: 16,
        label: "layers, in depth order →",
        labelAnchor: "right",
        labelOffset: 35,
        tickFormat: (center: number) => String(center + 0.5),
      }),
      Plot.rect(data.ids, {
        className: "plot-bars",
        x1: (_id: string, l: number) => l,
        x2: (_id: string, l: number) => l + 1,
        y1: 0,
        y2: (_id: string, l: number) => data.density[l]!,
        insetLeft: gap / 2,
        insetRight: gap / 2,
      }),
    ],
  });
  const bars = [...figure.svg.querySelectorAll<SVGRectElement>(".plot-bars rect")];
  for (const [l, bar] of bars.entries()) bar.dataset["layerId"] = data.ids[l]!;

  const floor = figure.y(0);
  const marked = svgElement(document, "rect", { class: "plot-marked", y: figure.y(1), height: floor - figure.y(1) });
  marked.setAttribute("width", pixels(Math.max(step, 3)));
  figure.svg.insertBefore(marked, figure.svg.firstChild);

  const crowded = step < leastBar;
  const glyphs: SVGPathElement[] = [];
  let silhouette: Silhouette | null = null;
  if (crowded) {
    const left = data.ids.map((_id, l) => pixels(figure.x(l)));
    silhouette = createSilhouette(document, left, pixels(step), floor, floor + 5);
    figure.svg.querySelector(".plot-bars")?.setAttribute("visibility", "hidden");
    figure.svg.append(silhouette.element);
  } else {
    const strip = svgElement(document, "g", { class: "plot-glyphs" });
    for (let l = 0; l < count; l++) {
      const at = `translate(${pixels(figure.x(l + 0.5))},${pixels(floor + 9)})`;
      const glyph = svgElement(document, "path", { transform: at });
      glyphs.push(glyph);
      strip.append(glyph);
    }
    figure.svg.append(strip);
  }
  const ineffective = svgElement(document, "path", { class: "plot-ineffective", d: "" });
  figure.svg.append(ineffective);
  const line = svgElement(document, "line", { class: "plot-overall", x1: figure.x(0), x2: figure.x(count) });
  figure.svg.append(line);

  drawings.set(figure.svg, {
    ...figure,
    bars,
    silhouette,
    glyphs,
    glyphSize: Math.min(8, step - 1),
    line,
    marked,
    ineffective,
    place: { left: data.ids.map((_id, l) => figure.x(l) + gap / 2), width: step - gap },
    heights: new Float64Array(count),
    shown: {
      density: new Float64Array(count).fill(NaN),
      height: new Float64Array(count).fill(NaN),
      standing: data.ids.map(() => null),
      overall: NaN,
    },
  });
  updateDensityPlot(figure.svg, data);
  markLayer(figure.svg, null);
  return figure.svg;
}

/** Changes bars, marks and line in place to `data`, which must be about the same layers. */
export function updateDensityPlot(svg: SVGSVGElement, data: Omit<DensityData, "ids">): void {
  const drawing = drawn(svg);
  const { heights, silhouette, line, shown, y } = drawing;
  const floor = y(0);
  const unit = floor - y(1);
  const moving = data.moving === true;
  for (let l = 0; l < heights.length; l++) {
    const height = data.density[l]! * unit;
    heights[l] = moving ? Math.ceil(height * 2) / 2 : height;
  }
  silhouette?.draw(heights, data.standing);
  const pale = moving || data.effective == null ? "" : palePath(drawing, data.effective, floor, unit);
  if (drawing.ineffective.getAttribute("d") !== pale) drawing.ineffective.setAttribute("d", pale);
  if (silhouette === null || !moving) updateBars(drawing, data, floor);
  if (data.overall !== shown.overall) {
    shown.overall = data.overall;
    const at = pixels(floor - data.overall * unit);
    line.setAttribute("y1", at);
    line.setAttribute("y2", at);
  }
}

/** From the top of each bar down to what is effective of it, where the eye can tell them apart. */
function palePath({ heights, place }: Drawn, effective: ArrayLike<number>, floor: number, unit: number): string {
  const width = pixels(place.width);
  return place.left
    .map((left, l) => {
      const height = heights[l]! - effective[l]! * unit;
      // Not true of NaN either.
      return height > 0.5
        ? `M${pixels(left)},${pixels(floor - heights[l]!)}h${width}v${pixels(height)}h-${width}z`
        : "";
    })
    .join("");
}

function updateBars(drawing: Drawn, data: Omit<DensityData, "ids">, floor: number): void {
  const { bars, glyphs, glyphSize, heights, shown } = drawing;
  for (const [l, bar] of bars.entries()) {
    const height = heights[l]!;
    const density = data.density[l]!;
    const standing = data.standing[l]!;
    if (height !== shown.height[l]) {
      shown.height[l] = height;
      bar.setAttribute("y", pixels(floor - height));
      bar.setAttribute("height", pixels(height));
    }
    if (data.moving !== true && density !== shown.density[l]) {
      shown.density[l] = density;
      bar.setAttribute("data-density", String(density));
    }
    if (standing !== shown.standing[l]) {
      shown.standing[l] = standing;
      bar.setAttribute("class", `standing-${standing}`);
      const glyph = glyphs[l];
      glyph?.setAttribute("class", `standing-${standing}`);
      glyph?.setAttribute("d", glyphPath(standing, glyphSize));
    }
  }
}

/** Puts the selection's band behind one layer, or takes it away. */
export function markLayer(svg: SVGSVGElement, layer: number | null): void {
  const { marked, x } = drawn(svg);
  const visible = layer !== null && layer >= 0;
  marked.setAttribute("visibility", visible ? "visible" : "hidden");
  if (visible) marked.setAttribute("x", pixels(x(layer + 0.5) - Number(marked.getAttribute("width")) / 2));
}

/** Which layer lies at a horizontal position inside the plot, or null beside the bars. */
export function layerAt(svg: SVGSVGElement, position: number): number | null {
  const { bars, x } = drawn(svg);
  const start = x(0);
  const layer = Math.floor((position - start) / (x(1) - start));
  return layer >= 0 && layer < bars.length ? layer : null;
}

/** Horizontal middle of a layer's bar. */
export function layerMiddle(svg: SVGSVGElement, layer: number): number {
  return drawn(svg).x(layer + 0.5);
}

function drawn(svg: SVGSVGElement): Drawn {
  const found = drawings.get(svg);
  if (found === undefined) throw new Error("not a density plot");
  return found;
}
