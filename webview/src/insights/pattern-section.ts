/**
 * The recipe's N:M pattern: which layers hold it, which cannot, and how much of its score each keeps.
 */
import { elementsOf } from "../elements.js";
import { patternText } from "../../../server/protocol/pattern.js";
import type { LayerPattern, LayerReport, Report } from "../../../server/protocol/report.js";
import type { NofM } from "../../../server/protocol/recipe.js";
import type { ViewStore } from "../state/store.js";
import { columnPercent, integer, percent } from "../text/numbers.js";
import { createDataTable } from "./data-table.js";
import { facts } from "./fold.js";
import { layerLink } from "./layer-link.js";
import { createReportSection } from "./report-section.js";
import type { Section } from "./section.js";

/** A layer with its standing to the pattern. */
type Patterned = LayerReport & { readonly pattern: LayerPattern };

export const useWords: Readonly<Record<LayerPattern["use"], string>> = {
  kernel: "holds it, for a sparse kernel",
  "pattern-only": "holds it",
  none: "without it",
};

/** Makes the section; it is there while what is shown was pruned by a pattern. */
export function createPatternSection(document: Document, store: ViewStore): Section {
  const h = elementsOf(document);
  const build = (pattern: NofM, report: Report): Node[] => {
    const layers = report.layers.filter((layer): layer is Patterned => layer.pattern !== undefined);
    const holding = layers.filter(({ pattern: { use } }) => use !== "none");
    const without = layers.length - holding.length;
    const kernels = holding.filter(({ pattern: { use } }) => use === "kernel").length;
    const kept = holding.flatMap(({ pattern: { retained } }) => (retained === null ? [] : [retained]));
    const mean = kept.reduce((sum, share) => sum + share, 0) / kept.length;
    const table = createDataTable(
      document,
      store,
      `Layers under ${patternText(pattern)}`,
      [
        { title: "Layer" },
        { title: "Score kept", numeric: true, meaning: "Σ of the scores that the pattern keeps over Σ of all" },
        { title: "Pattern" },
        { title: "Reason" },
      ],
      layers.length,
      (row) => {
        const { id, pattern: standing } = layers[row]!;
        const { use, reason, retained } = standing;
        return [
          layerLink(document, store, id),
          retained === null ? "—" : columnPercent(retained),
          useWords[use],
          reason,
        ];
      },
    );
    return [
      facts(document, [
        ["Layers that hold it", `${integer(holding.length)} of ${integer(layers.length)}`],
        ["A sparse kernel may be chosen for", integer(kernels)],
        ["Layers without it", integer(without)],
        ...(kept.length === 0 ? [] : ([["Score kept, mean of layers", percent(mean)]] as const)),
      ]),
      h(
        "p",
        {},
        "May be chosen is not faster: runtimes time sparse and dense kernels, and sparse ones tend to win where layers have more than 256 channels.",
      ),
      table.element,
    ];
  };

  return createReportSection(document, store, {
    name: "pattern",
    part: ({ pattern }) => pattern,
    title: (pattern) => `${patternText(pattern)} pattern`,
    build,
  });
}
