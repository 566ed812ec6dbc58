/**
 * The edge of chaos on the page: the plane of one activation, which of the model's activations that is, a legend, and
 * the layer under the pointer in words.
 */
import { elementsOf, setText } from "../elements.js";
import type { TheoryReport } from "../../../server/protocol/insights.js";
import { createChoice } from "../page/choice.js";
import { beyondPlane, edgePlane, layerNear, markPlane, phasePath, type PhaseMark } from "../plots/edge-plane.js";
import { svgElement } from "../plots/frame.js";
import type { ViewStore } from "../state/store.js";
import { layerLabel, shorten } from "../text/names.js";
import { counted, score } from "../text/numbers.js";
import { phaseLine, phaseWords } from "../text/theory.js";
import { pointAtLayers } from "../page/layer-pointer.js";
import { onResize } from "../page/on-resize.js";

const figureHeight = 300;

export interface PlaneFigure {
  readonly element: HTMLElement;
  /** Marks the layer that is pointed at, or else the selected one. */
  mark(layer: number): void;
}

/** Makes the figure; without any edge it says so. */
export function createPlaneFigure(document: Document, store: ViewStore, report: TheoryReport): PlaneFigure {
  const h = elementsOf(document);
  const layers = (store.findings?.theory ?? []).flatMap((theory, index) =>
    theory === null ? [] : [{ index, theory }],
  );
  const uses = (activation: string): number => layers.filter(({ theory }) => theory.activation === activation).length;
  const edges = [...report.edges].sort((a, b) => uses(b.activation) - uses(a.activation));
  let activation = edges[0]?.activation ?? "";
  let svg: SVGSVGElement | null = null;
  let drawn = { activation: "", width: 0 };
  let marked = -1;

  const frame = h("div", { class: "plot-frame plane-frame", role: "img" });
  const words = h("p", { class: "figure-words" });
  const meaning = h("p", { class: "figure-meaning" });
  const choice = createChoice(document, "Activation", edges.length > 1, (id) => {
    activation = id;
    draw();
  });

  const data = (): Parameters<typeof edgePlane>[0] => ({
    parts: edges.find((edge) => edge.activation === activation)?.parts ?? [],
    layers: layers.filter(({ theory }) => theory.activation === activation),
  });

  const say = (): void => {
    const theory = store.findings?.theory[marked];
    const layer = store.survey?.model.layers[marked];
    const beyond = beyondPlane(data());
    const rest = beyond === 0 ? "" : `${counted(beyond, "layer")} lie beyond the axes and are drawn at their ends`;
    if (theory == null || layer === undefined || theory.activation !== activation) setText(words, rest);
    else
      setText(
        words,
        `${shorten(layerLabel(layer), 32)}: σ_b ${score(theory.sigmaB)}, σ_w ${score(theory.sigmaW)}, ${phaseLine(theory)}`,
      );
  };

  const draw = (): void => {
    const width = frame.clientWidth;
    choice.show(
      edges.map((edge) => ({
        id: edge.activation,
        title: edge.activation,
        meaning: counted(uses(edge.activation), "layer"),
        disabled: false,
      })),
      activation,
    );
    setText(meaning, edges.find((edge) => edge.activation === activation)?.explanation ?? "");
    frame.setAttribute("aria-label", `Edge of chaos of ${activation} and where the layers stand`);
    say();
    if (width === 0 || (drawn.activation === activation && drawn.width === width)) return;
    drawn = { activation, width };
    svg = edgePlane(data(), { document, width, height: figureHeight });
    frame.replaceChildren(svg);
    markPlane(svg, marked);
  };

  pointAtLayers(frame, store, ({ clientX, clientY }) => {
    if (svg === null) return null;
    const { left, top } = svg.getBoundingClientRect();
    return layerNear(svg, clientX - left, clientY - top);
  });
  onResize(frame, draw);
  draw();

  const element =
    edges.length === 0
      ? h("p", {}, "No activation of this model has been recognised, so there is no edge of chaos to draw.")
      : h(
          "figure",
          { class: "figure figure-plane" },
          h("figcaption", {}, h("h3", {}, "Where the layers stand"), choice.element, legend(document)),
          h("div", { class: "plot-area" }, frame),
          words,
          meaning,
        );
  return {
    element,
    mark(layer) {
      marked = layer;
      if (svg !== null) markPlane(svg, layer);
      say();
    },
  };
}

/** The marks of the phases and the two kinds of line. */
function legend(document: Document): HTMLElement {
  const h = elementsOf(document);
  const icon = (className: string, d: string): SVGSVGElement => {
    const svg = svgElement(document, "svg", { class: "glyph", viewBox: "-6 -6 12 12", "aria-hidden": "true" });
    svg.append(svgElement(document, "path", { class: className, d }));
    return svg;
  };
  const mark = (phase: Exclude<PhaseMark, "none">): HTMLElement =>
    h("span", { class: "legend-entry" }, icon(`phase-${phase}`, phasePath(phase, 4)), phaseWords[phase]);
  const line = (kind: "stable" | "unstable"): HTMLElement =>
    h("span", { class: "legend-entry" }, icon(`plane-edge plane-edge-${kind}`, "M-6,0H6"), `${kind} edge`);
  return h(
    "div",
    { class: "legend" },
    mark("ordered"),
    mark("edge"),
    mark("chaotic"),
    line("stable"),
    line("unstable"),
  );
}
