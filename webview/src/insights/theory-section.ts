/**
 * Initialisation and edge of chaos: whether the weights look drawn or trained, where every layer stands in the plane of
 * its activation, what to draw it with instead, as numbers and as code, and what residual blocks there are to scale.
 */
import { elementsOf, type Child } from "../elements.js";
import type { LayerTheory, ResidualView, TheoryReport } from "../../../server/protocol/insights.js";
import type { ViewStore } from "../state/store.js";
import { shorten } from "../text/names.js";
import { counted, score } from "../text/numbers.js";
import { originWords, phaseWords } from "../text/theory.js";
import { createCodeTabs } from "./code-tabs.js";
import { createDataTable, type Column, type DataTable } from "./data-table.js";
import { facts, folded, notes } from "./fold.js";
import { layerLink } from "./layer-link.js";
import { createPlaneFigure, type PlaneFigure } from "./plane-figure.js";
import { createSection, type Section } from "./section.js";

const columns: readonly Column[] = [
  { title: "Layer" },
  { title: "φ", meaning: "The activation that follows" },
  { title: "σ_w", meaning: "Root of fan-in times the mean square of the weights", numeric: true },
  { title: "σ_b", meaning: "Root mean square of the bias", numeric: true },
  { title: "χ", meaning: "By what the mean square of gradients grows in the layer", numeric: true },
  { title: "Phase" },
  { title: "Suggested σ_w, σ_b", meaning: "What to draw weights and bias with instead", numeric: true },
  { title: "Deviation", meaning: "Standard deviation of the suggested weights", numeric: true },
  { title: "Limits", meaning: "What the theory does not cover" },
];

/** Makes the section. */
export function createTheorySection(document: Document, store: ViewStore): Section {
  const h = elementsOf(document);
  let figure: PlaneFigure | null = null;
  let table: DataTable | null = null;

  const cells = (layer: LayerTheory): readonly Child[] => {
    const { suggestion, phase } = layer;
    const limits = layer.limits.map(({ words }) => words).join(" ");
    return [
      layerLink(document, store, layer.id, 32),
      layer.activation ?? "—",
      score(layer.sigmaW),
      score(layer.sigmaB),
      score(phase?.chi),
      phase === null ? "—" : h("span", { title: phase.explanation }, phaseWords[phase.phase]),
      suggestion === null ? "—" : `${score(suggestion.sigmaW)}, ${score(suggestion.sigmaB)}`,
      score(suggestion?.deviation),
      h("span", { class: "limits-line" }, limits),
    ];
  };

  const build = (report: TheoryReport): Node[] => {
    const { origin, advice, layers, residual, code, inputScale, sigmaB } = report;
    figure = createPlaneFigure(document, store, report);
    table = createDataTable(document, store, "Theory of every layer", columns, layers.length, (row) =>
      cells(layers[row]!),
    );
    const fields = [
      ...(inputScale === null ? [] : ([["Mean square that inputs should have", score(inputScale)]] as const)),
      ["Suggestions are for σ_b", score(sigmaB)] as const,
    ];
    return [
      folded(
        document,
        originWords[origin.verdict],
        origin.votes.map(({ words }) => words),
      ),
      h("p", { class: "insight-lead" }, advice),
      h("div", { class: "insight-pair" }, figure.element, table.element),
      ...(Object.keys(code).length === 0
        ? []
        : [facts(document, fields), h("h3", {}, "Code for this initialisation"), createCodeTabs(document, code)]),
      ...residualPart(residual),
      ...notes(document, report.notes),
    ];
  };

  const residualPart = ({ additions, blocks, rejected, words }: ResidualView): Node[] => {
    const name = (node: string): HTMLElement => h("code", { title: node }, shorten(node));
    return [
      h("h3", {}, "Residual blocks"),
      h("p", {}, words),
      ...(blocks.length === 0
        ? []
        : [
            folded(
              document,
              `${counted(additions, "scaled addition")} (L)`,
              blocks.map(({ node, kind, branch, activationAfter }) =>
                h(
                  "span",
                  {},
                  name(node),
                  ` ${kind} shortcut, ${counted(branch.length, "layer")} in the branch`,
                  activationAfter ? ", an activation after the sum" : "",
                ),
              ),
            ),
          ]),
      ...(rejected.length === 0
        ? []
        : [
            folded(
              document,
              `${counted(rejected.length, "addition")} that only ${rejected.length === 1 ? "looks" : "look"} residual`,
              rejected.map(({ node, reason }) => h("span", {}, name(node), ` ${reason}`)),
            ),
          ]),
    ];
  };

  return createSection(document, store, {
    part: "theory",
    title: "Initialisation and edge of chaos",
    waiting: "The weights are looked at when nothing else is being computed.",
    build,
    follow(changes) {
      if (!changes.has("pointed") && !changes.has("selection")) return;
      const layer = store.marked;
      figure?.mark(layer);
      table?.mark(layer);
    },
  });
}
