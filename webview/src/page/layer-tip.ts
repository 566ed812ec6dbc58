/**
 * The tip over the density plot: name and numbers of one layer. It follows the pointer or the keyboard.
 */
import { elementsOf, setText } from "../elements.js";
import { standingOf, standingWord } from "../plots/risk-glyph.js";
import type { ViewStore } from "../state/store.js";
import { layerLabel, shapeText, shorten } from "../text/names.js";
import { columnPercent, integer, percent, score } from "../text/numbers.js";
import { effectiveWords, phaseLine } from "../text/theory.js";

export interface LayerTip {
  readonly element: HTMLElement;
  /** Shows the tip for `layer` beside its bar, whose middle is at `middle` in a frame of `width`. */
  show(layer: number, middle: number, width: number): void;
  /** Writes the numbers anew. */
  refresh(): void;
  hide(): void;
}

/** Space between the middle of a bar and its tip, in pixels. */
const gap = 14;

/** Makes the tip, hidden. */
export function createLayerTip(document: Document, store: ViewStore): LayerTip {
  const h = elementsOf(document);
  const name = h("code", { class: "tip-name" });
  const what = h("span", { class: "tip-what" });
  const kept = h("span", { class: "tip-kept" });
  const fate = h("span", { class: "tip-fate" });
  const paths = h("span", { class: "tip-paths" });
  const phase = h("span", { class: "tip-phase" });
  const element = h("div", { class: "tip", "aria-hidden": "true", hidden: true }, name, what, kept, fate, paths, phase);
  let shown = -1;

  const refresh = (): void => {
    const { survey, counts } = store;
    const layer = survey?.model.layers[shown];
    const report = survey?.analysis?.layers[shown];
    if (layer === undefined || report === undefined || counts === null) return;
    setText(name, shorten(layerLabel(layer), 48));
    setText(what, `${layer.op} · ${shapeText(layer.shape)}`);
    const about = counts.approximate ? "≈ " : "";
    const density = columnPercent(counts.density[shown]!);
    setText(kept, `${about}${integer(counts.kept[shown]!)} of ${integer(layer.parameters)} kept, ${density}`);
    const standing = standingOf(counts.risks[shown]!, report);
    const gone = report.criticalSparsity === null ? "" : `, gone at ${percent(report.criticalSparsity)}`;
    const dense = standing === "excluded" || standing === "no-score";
    setText(fate, dense ? `${standingWord(standing)}: left dense` : `risk: ${standingWord(standing)}${gone}`);
    refreshFindings();
  };

  /** What is known beside scores and mask, a line each. */
  const refreshFindings = (): void => {
    const words = effectiveWords(store, shown);
    setText(paths, words);
    paths.hidden = words === "";
    const theory = store.findings?.theory[shown] ?? null;
    const line = theory === null ? "" : phaseLine(theory);
    const advice = theory?.suggestion
      ? `${line === "" ? "" : "; "}suggested σ_w ${score(theory.suggestion.sigmaW)}`
      : "";
    setText(phase, line + advice);
    phase.hidden = line + advice === "";
  };

  return {
    element,
    refresh,
    show(layer, middle, width) {
      shown = layer;
      refresh();
      element.hidden = false;
      const own = element.offsetWidth;
      const right = middle + gap;
      // Beside the bar that it is about: to the right while there is room, else to the left.
      const left = right + own <= width ? right : Math.max(0, middle - gap - own);
      element.style.left = `${Math.round(left)}px`;
    },
    hide() {
      shown = -1;
      element.hidden = true;
    },
  };
}
