/** What a file holds before anything is pruned, where it is sparse already: zeros, patterns, empty channels, by layer. */
import { elementsOf } from "../elements.js";
import { patternText } from "../../../server/protocol/pattern.js";
import type { HeldLayer, HeldReport } from "../../../server/protocol/sparsity.js";
import type { ViewStore } from "../state/store.js";
import { columnPercent, integer, percent } from "../text/numbers.js";
import { createDataTable } from "./data-table.js";
import { facts } from "./fold.js";
import { layerLink } from "./layer-link.js";
import { createReportSection } from "./report-section.js";
import type { Section } from "./section.js";

/** Makes the section; a dense file has none. */
export function createHeldSection(document: Document, store: ViewStore): Section {
  const h = elementsOf(document);
  const build = ({ prunable, zeros, sparsity, layers }: HeldReport): Node[] => {
    const table = createDataTable(
      document,
      store,
      "Zeros and patterns by layer",
      [
        { title: "Layer" },
        { title: "Zeros", numeric: true, meaning: "Share of the layer's weights that are 0 in the file" },
        { title: "Patterns", meaning: "The strictest that every group along the reduction axis meets" },
        { title: "Empty outputs", numeric: true },
        { title: "Empty inputs", numeric: true },
        { title: "Besides" },
      ],
      layers.length,
      (row) => {
        const layer = layers[row]!;
        return [
          layerLink(document, store, layer.id),
          columnPercent(layer.sparsity),
          layer.patterns.map(patternText).join(", "),
          emptyWords(layer.emptyOutputs),
          emptyWords(layer.emptyInputs),
          besides(layer),
        ];
      },
    );
    return [
      facts(document, [
        ["Prunable weights that are 0", `${integer(zeros)} of ${integer(prunable)} (${percent(sparsity)})`],
      ]),
      h("p", {}, "Embeddings, norms and biases do not count."),
      table.element,
    ];
  };

  return createReportSection(document, store, {
    name: "held",
    part: ({ held }) => held,
    title: () => "What the file holds already",
    build,
  });
}

const emptyWords = (side: HeldLayer["emptyOutputs"]): string =>
  side === null || side.count === 0 ? "" : `${integer(side.count)} of ${integer(side.of)}`;

function besides({ storedSparsely, sharedBy, unchecked }: HeldLayer): string {
  return [
    ...(storedSparsely ? ["stored sparsely"] : []),
    ...(sharedBy.length === 0 ? [] : [`shared by ${sharedBy.join(", ")}`]),
    ...(unchecked === undefined ? [] : [unchecked]),
  ].join("; ");
}
