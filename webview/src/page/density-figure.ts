/**
 * The density plot on the page: legend, pointer and keyboard, and a tip that names the layer under them. A click or
 * Enter selects the layer.
 */
import { elementsOf, setText } from "../elements.js";
import { densityPlot, layerAt, layerMiddle, markLayer, updateDensityPlot } from "../plots/density.js";
import { svgElement } from "../plots/frame.js";
import { glyphPath, standingOf, standingWord, type Standing } from "../plots/risk-glyph.js";
import type { Change, ViewStore } from "../state/store.js";
import type { Survey } from "../state/survey.js";
import { layerLabel, shorten } from "../text/names.js";
import { columnPercent, percent } from "../text/numbers.js";
import { createLayerTip } from "./layer-tip.js";
import { onResize } from "./on-resize.js";

const figureHeight = 190;
const legendOrder: readonly Standing[] = [
  "low",
  "high",
  "collapsed",
  "no-signal",
  "non-finite",
  "excluded",
  "no-score",
];

const lasting: ReadonlySet<Standing> = new Set<Standing>(["low", "high", "collapsed"]);

export interface FigureView {
  readonly element: HTMLElement;
  show(changes: ReadonlySet<Change>): void;
}

/** Makes the figure. */
export function createDensityFigure(document: Document, store: ViewStore): FigureView {
  const h = elementsOf(document);
  const frame = h("div", {
    class: "plot-frame",
    role: "slider",
    tabindex: 0,
    "aria-label": "Kept density by layer, in depth order",
    "aria-valuemin": 1,
    "aria-valuemax": 1,
    "aria-valuenow": 1,
  });
  const waiting = h("p", { class: "figure-empty" }, "Being computed …");
  const legend = createLegend(document);
  const tip = createLayerTip(document, store);
  const element = h(
    "figure",
    { class: "figure figure-density" },
    h("figcaption", {}, h("h2", {}, "Kept density"), legend.element),
    h("div", { class: "plot-area" }, frame, waiting, tip.element),
  );

  let svg: SVGSVGElement | null = null;
  let drawn: { survey: Survey | null; width: number; ready: boolean } = { survey: null, width: 0, ready: false };
  let standing: Standing[] = [];
  /** Layer under the pointer or the keyboard's cursor, or -1. */
  let cursor = -1;
  let byPointer = false;

  const selected = (): number => store.survey?.indexOf.get(store.choices.selected ?? "") ?? -1;

  const measure = (): number => {
    const { counts, survey } = store;
    const layers = survey?.analysis?.layers;
    if (counts === null || survey === null || layers === undefined) return 0;
    for (let l = 0; l < standing.length; l++) standing[l] = standingOf(counts.risks[l]!, layers[l]!);
    return survey.model.prunable === 0 ? 0 : counts.total / survey.model.prunable;
  };

  const draw = (): void => {
    const { survey, counts } = store;
    const width = frame.clientWidth;
    const next = { survey, width, ready: counts !== null };
    if (drawn.survey === survey && drawn.width === width && drawn.ready === next.ready) return;
    drawn = next;
    if (survey === null || counts === null || width === 0 || survey.model.layers.length === 0) {
      svg = null;
      frame.replaceChildren();
      return;
    }
    const ids = survey.model.layers.map((layer) => layer.id);
    standing = ids.map(() => "none");
    const overall = measure();
    const { effective } = store;
    svg = densityPlot(
      { ids, density: counts.density, standing, overall, effective },
      { document, width, height: figureHeight },
    );
    frame.replaceChildren(svg);
    frame.setAttribute("aria-valuemax", String(ids.length));
    point(Math.min(cursor, ids.length - 1), byPointer);
  };

  /** Moves the cursor; the band marks it, or the selected layer while there is none. */
  const point = (layer: number, pointer: boolean): void => {
    cursor = layer;
    byPointer = pointer;
    if (svg === null) return;
    store.point(layer);
    markLayer(svg, layer >= 0 ? layer : selected());
    if (layer < 0) {
      tip.hide();
      return;
    }
    tip.show(layer, layerMiddle(svg, layer), frame.clientWidth);
    if (!pointer) speak();
  };

  const speak = (): void => {
    const { survey, counts } = store;
    if (survey === null || counts === null || cursor < 0) return;
    const name = shorten(layerLabel(survey.model.layers[cursor]!));
    frame.setAttribute("aria-valuenow", String(cursor + 1));
    frame.setAttribute(
      "aria-valuetext",
      `${name}: ${columnPercent(counts.density[cursor]!)} kept, risk ${standingWord(standing[cursor]!)}`,
    );
  };

  const selectCursor = (): void => {
    store.toggleAt(cursor);
  };

  frame.addEventListener("pointermove", (event) => {
    if (svg === null) return;
    const layer = layerAt(svg, event.clientX - svg.getBoundingClientRect().left) ?? -1;
    if (layer !== cursor || !byPointer) point(layer, true);
  });
  frame.addEventListener("pointerleave", () => {
    point(-1, true);
  });
  frame.addEventListener("click", selectCursor);
  frame.addEventListener("focus", () => {
    if (cursor < 0 && frame.matches(":focus-visible")) point(Math.max(0, selected()), false);
  });
  frame.addEventListener("blur", () => {
    point(-1, false);
  });
  frame.addEventListener("keydown", (event) => {
    const count = store.survey?.model.layers.length ?? 0;
    const target = cursorAfterKey(event.key, cursor, count);
    if (target !== null) point(target, false);
    else if (event.key === "Enter" || event.key === " ") selectCursor();
    else if (event.key === "Escape") store.select(null);
    else return;
    event.preventDefault();
  });
  onResize(frame, draw);

  return {
    element,
    show(changes) {
      const { counts } = store;
      if (changes.has("state")) {
        // Shown before it is drawn: a hidden frame has no width.
        frame.hidden = counts === null;
        waiting.hidden = counts !== null;
        draw();
      }
      if (svg === null || counts === null) {
        legend.show([]);
        return;
      }
      if (changes.has("sparsity")) {
        const overall = measure();
        const { effective } = store;
        updateDensityPlot(svg, { density: counts.density, standing, overall, effective, moving: !store.rest });
        legend.show(
          standing,
          overall,
          effective?.some((share, l) => share < counts.density[l]!),
        );
        if (cursor >= 0) {
          tip.refresh();
          if (!byPointer && store.rest) speak();
        }
      }
      if (changes.has("selection") || changes.has("pointed")) markLayer(svg, cursor >= 0 ? cursor : store.marked);
    },
  };
}

function cursorAfterKey(key: string, cursor: number, count: number): number | null {
  if (count === 0) return null;
  const page = Math.max(1, Math.round(count / 10));
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: cursor + 1,
    ArrowUp: cursor + 1,
    ArrowLeft: cursor - 1,
    ArrowDown: cursor - 1,
    PageUp: cursor + page,
    PageDown: cursor - page,
    Home: 0,
    End: count - 1,
  };
  const target = steps[key];
  return target === undefined ? null : Math.max(0, Math.min(count - 1, target));
}

/** Marks, words and counts of the standings that occur, and the density of the whole. */
function createLegend(document: Document): {
  element: HTMLElement;
  show: (standing: readonly Standing[], overall?: number, ineffective?: boolean) => void;
} {
  const h = elementsOf(document);
  const tally = new Map<Standing, number>();
  const entries = legendOrder.map((standing) => {
    const mark = svgElement(document, "path", { class: `standing-${standing}`, d: glyphPath(standing, 8) });
    const icon = svgElement(document, "svg", { class: "glyph", viewBox: "-6 -6 12 12", "aria-hidden": "true" });
    icon.append(mark);
    const count = h("span", { class: "legend-count" });
    const entry = h(
      "span",
      { class: "legend-entry", "data-standing": standing },
      icon,
      `${standingWord(standing)} `,
      count,
    );
    return { standing, entry, count };
  });
  const whole = h("span", { class: "legend-entry legend-overall" });
  const pale = h("span", { class: "legend-entry legend-ineffective", hidden: true }, "kept, but on no path");
  return {
    element: h("div", { class: "legend" }, whole, ...entries.map(({ entry }) => entry), pale),
    show: (standing, overall, ineffective = false) => {
      pale.hidden = !ineffective;
      tally.clear();
      for (const one of standing) tally.set(one, (tally.get(one) ?? 0) + 1);
      for (const { standing: one, entry, count } of entries) {
        const number = tally.get(one) ?? 0;
        // What comes and goes with the sparsity keeps its place, so that nothing moves under the pointer.
        const away = number === 0 && (standing.length === 0 || !lasting.has(one));
        if (entry.hidden !== away) entry.hidden = away;
        setText(count, String(number));
      }
      whole.hidden = overall === undefined;
      setText(whole, overall === undefined ? "" : `overall ${percent(Math.round(overall * 1e4) / 1e4)}`);
    },
  };
}
