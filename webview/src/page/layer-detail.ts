/**
 * Everything about the selected layer that has no column: node, path, type, roles of the axes, where it is used, dead
 * outputs.
 */
import { elementsOf } from "../elements.js";
import type { AxisRoles, LayerView } from "../../../server/protocol/model.js";
import type { LayerPattern } from "../../../server/protocol/report.js";
import type { ViewState } from "../../../server/protocol/view.js";
import { useWords } from "../insights/pattern-section.js";
import type { ViewStore } from "../state/store.js";
import { layerLabel, shapeText } from "../text/names.js";
import { columnPercent, percent } from "../text/numbers.js";
import { effectiveWords, phaseLine, suggestionLine } from "../text/theory.js";

export interface LayerDetail {
  readonly element: HTMLElement;
  show(): void;
}

/** Makes the line; it is not there while nothing is selected. */
export function createLayerDetail(document: Document, store: ViewStore): LayerDetail {
  const h = elementsOf(document);
  const list = h("dl", { class: "facts" });
  const element = h("section", { class: "detail", "aria-label": "Selected layer" }, list);
  return {
    element,
    show() {
      const { survey, counts } = store;
      const l = survey?.indexOf.get(store.choices.selected ?? "") ?? -1;
      const layer = survey?.model.layers[l];
      element.hidden = layer === undefined;
      if (layer === undefined) return;
      const dead = counts === null || counts.approximate ? NaN : counts.deadOutputs[l]!;
      const report = survey?.analysis?.layers[l];
      const theory = store.findings?.theory[l] ?? null;
      const facts = [
        ...layerFacts(layer, outputShape(store.view?.shapes ?? null, layer.id)),
        ["Outputs without weights", Number.isNaN(dead) ? "" : dead === 0 ? "none" : columnPercent(dead)],
        ["No score", report?.unscored ?? ""],
        ["On a path", effectiveWords(store, l)],
        ["Phase", theory === null ? "" : phaseLine(theory)],
        ["Suggested", theory?.suggestion ? suggestionLine(theory.suggestion) : ""],
        ["Pattern", patternWords(report?.pattern)],
        ["Gone at", typeof report?.criticalSparsity === "number" ? percent(report.criticalSparsity) : ""],
      ] as const;
      list.replaceChildren(
        ...facts
          .filter(([, text]) => text !== "")
          .map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", { title: text }, text))),
      );
    },
  };
}

/** "holds it, keeps 81.2 % of the score: a sparse kernel may be chosen for it". */
function patternWords(pattern: LayerPattern | undefined): string {
  if (pattern === undefined) return "";
  const { use, reason, retained } = pattern;
  const kept = retained === null ? "" : `, keeps ${columnPercent(retained)} of the score`;
  return `${useWords[use]}${kept}: ${reason}`;
}

function outputShape(shapes: ViewState["shapes"], id: string): string {
  if (shapes === null || "code" in shapes) return "";
  // The key may be any string of the file, `constructor` too.
  const shape = Object.hasOwn(shapes.outputs, id) ? shapes.outputs[id] : undefined;
  return shape === undefined ? "" : shapeText(shape);
}

function layerFacts(layer: LayerView, output: string): readonly (readonly [string, string])[] {
  const label = layerLabel(layer);
  return [
    ["Layer", label],
    ["Node", layer.name === label ? "" : layer.name],
    ["Id", layer.id === label ? "" : layer.id],
    ["Operator", layer.op],
    ["Weight", `${layer.stored === undefined ? layer.dtype : `${layer.stored}-quantised`} ${shapeText(layer.shape)}`],
    ["Axes", rolesText(layer.roles)],
    ["Output", output],
    ["Through", layer.via.join(" → ")],
    ["Used by", layer.uses.length > 1 ? layer.uses.join(", ") : ""],
    ["Subgraph", layer.subgraph],
  ];
}

function rolesText(roles: AxisRoles): string {
  const named = (["out", "in", "spatial", "batch"] as const)
    .filter((role) => roles[role].length > 0)
    .map((role) => `${role} ${roles[role].join(", ")}`);
  if (roles.groups > 1) named.push(`${roles.groups} groups`);
  return named.join(" · ");
}
