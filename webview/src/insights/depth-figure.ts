/** A quantity over depth on the page: its plot, a legend, and the layer under the pointer in words. */
import { elementsOf, setText } from "../elements.js";
import { depthAt, depthLines, markDepth, type DepthLinesData, type DepthSeries } from "../plots/depth-lines.js";
import { svgElement } from "../plots/frame.js";
import type { ViewStore } from "../state/store.js";
import { layerLabel, shorten } from "../text/names.js";
import { score } from "../text/numbers.js";
import { pointAtLayers } from "../page/layer-pointer.js";
import { onResize } from "../page/on-resize.js";

const figureHeight = 180;

export interface NamedSeries extends DepthSeries {
  /** For the legend and the words; a fit has none. */
  readonly name: string;
}

export interface DepthFigure {
  readonly element: HTMLElement;
  mark(layer: number): void;
}

export interface DepthFigureOptions extends Omit<DepthLinesData, "series"> {
  readonly title: string;
  readonly meaning: string;
  readonly series: readonly NamedSeries[];
}

/** Makes the figure. Values are by the model's layer. */
export function createDepthFigure(document: Document, store: ViewStore, options: DepthFigureOptions): DepthFigure {
  const h = elementsOf(document);
  const { title, meaning } = options;
  const series = options.series.filter(({ values }) => values.some((value) => value !== null));
  const frame = h("div", {
    class: "plot-frame depth-frame",
    role: "img",
    "aria-label": `${title} over depth: ${meaning}`,
  });
  const words = h("p", { class: "figure-words" });
  let svg: SVGSVGElement | null = null;
  let width = 0;
  let marked = -1;
  const draw = (): void => {
    if (frame.clientWidth === width || frame.clientWidth === 0) return;
    width = frame.clientWidth;
    svg = depthLines(options, { document, width, height: figureHeight });
    frame.replaceChildren(svg);
    markDepth(svg, marked);
  };
  const say = (): void => {
    const layer = store.survey?.model.layers[marked];
    const values = series
      .filter(({ look }) => look !== "fit")
      .map(({ name, values: all }) => `${name} ${score(all[marked])}`);
    setText(words, layer === undefined ? meaning : `${shorten(layerLabel(layer), 28)}: ${values.join(", ")}`);
  };
  pointAtLayers(frame, store, ({ clientX }) =>
    svg === null ? null : depthAt(svg, clientX - svg.getBoundingClientRect().left),
  );
  onResize(frame, draw);
  say();
  const legend = series.map(({ look, name }) => {
    const icon = svgElement(document, "svg", {
      class: "glyph glyph-line",
      viewBox: "-9 -6 18 12",
      "aria-hidden": "true",
    });
    icon.append(svgElement(document, "path", { class: `lines lines-${look}`, d: "M-9,0H9" }));
    return h("span", { class: "legend-entry" }, icon, name);
  });
  return {
    element: h(
      "figure",
      { class: "figure figure-depth" },
      h("figcaption", {}, h("h3", {}, title), h("div", { class: "legend" }, ...legend)),
      h("div", { class: "plot-area" }, frame),
      words,
    ),
    mark(layer) {
      marked = layer;
      if (svg !== null) markDepth(svg, layer);
      say();
    },
  };
}
