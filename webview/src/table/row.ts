/**
 * One row of the table. Rows are made once and bound to whatever layer scrolls into view; while the slider moves only
 * their numbers change.
 */
import type { LayerReport } from "../../../server/protocol/report.js";
import { elementsOf, setAttribute, setText } from "../elements.js";
import { glyphPath, standingOf, standingWord, type Standing } from "../plots/risk-glyph.js";
import { svgElement } from "../plots/frame.js";
import type { ViewStore } from "../state/store.js";
import { layerLabel, shapeText } from "../text/names.js";
import { columnPercent, counted, integer, score } from "../text/numbers.js";
import { effectiveWords } from "../text/theory.js";
import { columns } from "./columns.js";
import type { ColumnId } from "../state/layer-order.js";

export interface Row {
  readonly element: HTMLElement;
  readonly box: HTMLInputElement;
  /** Layer that the row shows, or -1. */
  layer: number;
  /** Shows layer `l` at a position among those that are shown. */
  bind(store: ViewStore, l: number, position: number): void;
  /** Writes the numbers that follow the slider. */
  tick(store: ViewStore): void;
}

/** Characters at the end of a name that are never cut. */
const tailLength = 14;

/** Id of the row of layer `l`, for aria-activedescendant. */
export function rowId(l: number): string {
  return `layer-row-${l}`;
}

/** Makes an unbound row. */
export function createRow(document: Document): Row {
  const h = elementsOf(document);
  const cells = Object.fromEntries(
    columns.map(({ id, numeric }) => [
      id,
      h("div", { role: "gridcell", class: `cell cell-${id}${numeric ? " cell-number" : ""}` }),
    ]),
  ) as Record<ColumnId, HTMLDivElement>;
  // Long names differ at their ends: the head is what gives way.
  const head = h("span", { class: "name-head" });
  const tail = h("span", { class: "name-tail" });
  cells.weight.append(head, tail);
  const box = h("input", { type: "checkbox", tabindex: -1 });
  cells.excluded.append(box);

  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  const density = h("span", { class: "bar-number" });
  cells.density.append(bar, density);

  const glyph = svgElement(document, "path");
  const icon = svgElement(document, "svg", { class: "glyph", viewBox: "-6 -6 12 12", "aria-hidden": "true" });
  icon.append(glyph);
  const word = h("span");
  cells.risk.append(icon, word);

  const element = h("div", { role: "row", class: "row" }, ...columns.map(({ id }) => cells[id]));
  let shownStanding: Standing | null = null;
  let shownWidth = -1;

  const row: Row = {
    element,
    box,
    layer: -1,
    bind(store, l, position) {
      const layer = store.survey!.model.layers[l]!;
      const report = store.survey?.analysis?.layers[l];
      const label = layerLabel(layer);
      row.layer = l;
      element.id = rowId(l);
      element.dataset["layerId"] = layer.id;
      element.setAttribute("aria-rowindex", String(position + 2));
      setText(cells.depth, integer(l + 1));
      const cut = tailStart(label);
      setText(head, label.slice(0, cut));
      setText(tail, label.slice(cut));
      cells.weight.title = layer.name === label ? label : `${label}\n${layer.name}`;
      setText(cells.op, layer.op);
      cells.op.title = layer.op;
      setText(cells.shape, shapeText(layer.shape));
      setText(cells.parameters, integer(layer.parameters));
      setText(cells.critical, report === undefined ? "" : critical(report.criticalSparsity));
      setText(cells.zeros, report === undefined ? "" : report.score === null ? "—" : zeros(report.score.zeroShare));
      for (const statistic of ["mean", "rms", "max"] as const) {
        // A layer that holds a NaN has no statistics.
        const known = report?.score?.nonFinite === 0 ? report.score[statistic] : NaN;
        setText(cells[statistic], report === undefined ? "" : score(known));
      }
      box.checked = store.recipe.exclude.includes(layer.id);
      box.disabled = !store.live;
      setAttribute(box, "aria-label", `Exclude ${label}`);
      row.tick(store);
    },
    tick(store) {
      const l = row.layer;
      const { counts } = store;
      if (counts === null) {
        setText(density, "");
        setText(cells.kept, "");
        setText(word, "");
        glyph.setAttribute("d", "");
        shownStanding = null;
        if (shownWidth !== 0) bar.style.backgroundSize = "0 100%";
        shownWidth = 0;
        element.removeAttribute("data-kept");
        element.removeAttribute("data-density");
        element.removeAttribute("data-standing");
        element.removeAttribute("data-approximate");
        return;
      }
      const share = counts.density[l]!;
      const kept = String(Math.round(counts.kept[l]!));
      const about = counts.approximate ? "≈ " : "";
      setText(density, about + columnPercent(share));
      setText(cells.kept, about + integer(counts.kept[l]!));
      if (element.dataset["kept"] !== kept) element.dataset["kept"] = kept;
      element.dataset["density"] = String(share);
      if (element.hasAttribute("data-approximate") !== counts.approximate) {
        element.toggleAttribute("data-approximate", counts.approximate);
      }
      if (share !== shownWidth) {
        shownWidth = share;
        bar.style.backgroundSize = `${share * 100}% 100%`;
      }
      const report = store.survey!.analysis!.layers[l]!;
      const standing = standingOf(counts.risks[l]!, report);
      const why = whyNoRisk(report) || effectiveWords(store, l);
      if (cells.risk.title !== why) cells.risk.title = why;
      if (standing !== shownStanding) {
        shownStanding = standing;
        element.dataset["risk"] = counts.risks[l]!;
        element.dataset["standing"] = standing;
        setText(word, standingWord(standing));
        glyph.setAttribute("d", glyphPath(standing, 8));
        glyph.setAttribute("class", `standing-${standing}`);
        bar.className = `bar bar-${standing}`;
      }
    },
  };
  return row;
}

/** Where the last characters of a name begin that stay in view, never inside a surrogate pair. */
function tailStart(label: string): number {
  const start = Math.max(0, label.length - tailLength);
  const code = label.charCodeAt(start);
  return code >= 0xdc00 && code <= 0xdfff ? start - 1 : start;
}

/** Why a layer has no risk to tell, for the pointer; empty where it has one. */
function whyNoRisk({ score, unscored }: LayerReport): string {
  if (score === null) return `No score, left dense: ${unscored ?? "the criterion gives none"}`;
  return score.nonFinite > 0 ? `${counted(score.nonFinite, "score")} not finite (NaN or infinite)` : "";
}

function critical(sparsity: number | null): string {
  return sparsity === null ? "—" : columnPercent(sparsity);
}

function zeros(share: number): string {
  return share === 0 ? "0" : columnPercent(share);
}
