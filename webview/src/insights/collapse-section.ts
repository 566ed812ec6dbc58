/**
 * Collapse: in what order layers lose their last weight, how far that is from what no ranking could pass, and what is
 * left when weights on no path through the network are counted as gone.
 */
import { elementsOf, type Child } from "../elements.js";
import { describeError } from "../../../server/protocol/errors.js";
import type { CollapseReport, EffectiveReport } from "../../../server/protocol/insights.js";
import { isError } from "../state/findings.js";
import type { ViewStore } from "../state/store.js";
import { shorten } from "../text/names.js";
import { counted, integer, percent } from "../text/numbers.js";
import { facts, folded, notes } from "./fold.js";
import { layerLink } from "./layer-link.js";
import { createSection, type Section } from "./section.js";

/** Layers that are named before the rest is folded. */
const named = 5;

/** Makes the section. */
export function createCollapseSection(document: Document, store: ViewStore): Section {
  const h = elementsOf(document);
  const build = (report: CollapseReport): Node[] => {
    const { order, effective, noSignal } = report;
    const entry = ({ id, sparsity }: CollapseReport["order"][number]): Child =>
      h("span", {}, layerLink(document, store, id), ` at ${percent(sparsity)}`);
    const rest = order.slice(named);
    const paths = isError(effective) ? null : effective;
    return [
      facts(document, [...rankingFacts(report), ...(paths === null ? [] : pathFacts(paths, report.sparsity))]),
      ...(order.length === 0
        ? [h("p", {}, "No layer can be ranked, so none is lost.")]
        : [
            h("h3", {}, "Order in which layers lose their last weight"),
            h("ol", { class: "order" }, ...order.slice(0, named).map((one) => h("li", {}, entry(one)))),
          ]),
      ...(rest.length === 0 ? [] : [folded(document, counted(rest.length, "more layer"), rest.map(entry))]),
      ...(noSignal.length === 0
        ? []
        : [
            folded(
              document,
              `${counted(noSignal.length, "layer")} without a signal: every score is 0`,
              noSignal.map((id) => layerLink(document, store, id)),
            ),
          ]),
      ...(isError(effective)
        ? [h("p", { class: "insight-error" }, `Paths through the network are not known: ${describeError(effective)}`)]
        : branchLists(effective)),
    ];
  };

  const branchLists = ({ branches, notes: sentences }: EffectiveReport): Node[] => {
    const dead = branches.filter((branch) => branch.dead);
    const words = `${integer(dead.length)} of ${counted(branches.length, "residual branch", "residual branches")} ${dead.length === 1 ? "is" : "are"} dead`;
    const name = ({ node, cutSparsity }: EffectiveReport["branches"][number]): Child =>
      h(
        "span",
        {},
        h("code", { title: node }, shorten(node)),
        cutSparsity === null ? "" : ` from ${percent(cutSparsity)}`,
      );
    return [...(dead.length === 0 ? [] : [folded(document, words, dead.map(name))]), ...notes(document, sentences)];
  };

  return createSection(document, store, {
    part: "collapse",
    title: "Collapse",
    waiting: "Paths through the network are followed when nothing else is being computed.",
    build,
  });
}

function rankingFacts({ criticalSparsity, maxSparsity }: CollapseReport): (readonly [string, Child])[] {
  const rate = (sparsity: number): string => `${percent(sparsity)} (ρ ${compression(sparsity)})`;
  return [
    ...(criticalSparsity === null ? [] : ([["First layer gone at", rate(criticalSparsity)]] as const)),
    ...(maxSparsity === null ? [] : ([["No ranking can pass", rate(maxSparsity)]] as const)),
  ];
}

function pathFacts(
  { sparsity: effective, connected, cutSparsity, kept, prunable, branches }: EffectiveReport,
  nominal: number,
): (readonly [string, Child])[] {
  const dead = branches.filter((branch) => branch.dead).length;
  const cut = cutSparsity === null ? "never: shortcuts without weights stay" : `at ${percent(cutSparsity)}`;
  return [
    [`Effective sparsity at ${percent(nominal)}`, percent(effective)],
    ["Weights on a path", `${integer(kept)} of ${integer(prunable)}`],
    ["Network cut", connected ? cut : `already${cutSparsity === null ? "" : `, ${cut}`}`],
    ...(branches.length === 0 ? [] : ([["Dead branches", `${dead} of ${branches.length}`]] as const)),
  ];
}

/** Weights for each one that is kept, as the literature counts compression. */
function compression(sparsity: number): string {
  const ratio = 1 / (1 - sparsity);
  return Number.isFinite(ratio) ? `${ratio < 100 ? Number(ratio.toPrecision(3)) : integer(ratio)}×` : "∞";
}
