/**
 * Conditioning and propagation, measured on data: how the mean square of the sensitivities and the signal go over depth,
 * and what theory foretells, on the same axes. It is measured on request.
 */
import { elementsOf } from "../elements.js";
import { describeError } from "../../../server/protocol/errors.js";
import type { MeasureReport } from "../../../server/protocol/insights.js";
import type { LayerId } from "../../../server/protocol/model.js";
import { isError } from "../state/findings.js";
import type { ViewStore } from "../state/store.js";
import { percent, score } from "../text/numbers.js";
import { conditioningFigure, propagationFigures } from "./depth-series.js";
import { createDataTable, foldedTable, type DataTable } from "./data-table.js";
import type { DepthFigure } from "./depth-figure.js";
import { facts, notes } from "./fold.js";
import { layerName } from "./layer-link.js";
import { createSection, type Section } from "./section.js";

/** Runs whose masks are compared. */
const stabilityRuns = 3;

/** Makes the section. */
export function createMeasureSection(document: Document, store: ViewStore): Section {
  const h = elementsOf(document);
  const button = (className: string, text: string, runs: number): HTMLElement => {
    const made = h("vscode-button", { appearance: "secondary", class: className }, text);
    made.addEventListener("click", () => {
      store.measure(runs);
    });
    return made;
  };
  const actions = [
    button("measure", "Measure", 0),
    button("measure-stability", "Measure and Compare 3 Masks", stabilityRuns),
  ];
  let figures: readonly DepthFigure[] = [];
  let tables: readonly DataTable[] = [];

  const build = (report: MeasureReport): Node[] => {
    const { conditioning, propagation, stability, loss, batchNorm } = report;
    const failed = (what: string, part: object): Node[] =>
      isError(part) ? [h("p", { class: "insight-error" }, `${what} not known: ${describeError(part)}`)] : [];
    const made: DepthFigure[] = [];
    if (!isError(conditioning)) made.push(conditioningFigure(document, store, conditioning));
    if (!isError(propagation)) made.push(...propagationFigures(document, store, propagation));
    figures = made;
    tables = tablesOf(report);
    return [
      facts(document, [
        ...(loss === null ? [] : ([["Loss", score(loss)]] as const)),
        ...(batchNorm === null ? [] : ([["BatchNorm", `${batchNorm} statistics`]] as const)),
        ...(stability === null || isError(stability)
          ? []
          : ([
              [
                `Kept by two of ${stability.runs} masks at ${percent(stability.sparsity)}`,
                `${percent(round(stability.mean))} of the weights on average, ${percent(round(stability.least))} to ${percent(round(stability.most))}`,
              ],
            ] as const)),
      ]),
      ...(isError(conditioning) ? [] : [h("p", { class: "insight-lead" }, conditioning.verdict)]),
      ...failed("Conditioning is", conditioning),
      ...failed("Propagation is", propagation),
      ...(stability === null ? [] : failed("Stability of the mask is", stability)),
      h("div", { class: "depth-figures" }, ...figures.map(({ element }) => element)),
      ...tables.map(({ element }) => element),
      ...notes(document, [
        ...(stability === null || isError(stability) ? [] : [stability.words]),
        ...(isError(propagation) ? [] : propagation.notes),
        // What was said of the scores already stands above.
        ...report.notes.filter((note) => store.view?.result?.report.notes.includes(note) !== true),
      ]),
    ];
  };

  const tablesOf = ({ conditioning, propagation }: MeasureReport): DataTable[] => {
    const name = (id: LayerId): string => layerName(store, id);
    const numeric = (title: string) => ({ title, numeric: true });
    const made: DataTable[] = [];
    if (!isError(conditioning)) {
      const { layers } = conditioning;
      const columns = [{ title: "Layer" }, ...["Weights n", "m", "n·m"].map(numeric)];
      const make = (): DataTable =>
        createDataTable(document, store, "Conditioning of every layer", columns, layers.length, (row) => {
          const { id, weights, m, total } = layers[row]!;
          return [name(id), score(weights), score(m), score(total)];
        });
      made.push(foldedTable(document, "Conditioning as a table", make));
    }
    if (!isError(propagation)) {
      const { layers } = propagation;
      const titles = ["q", "predicted", "c", "predicted", "forward gain", "backward gain", "predicted χ"];
      const columns = [{ title: "Layer" }, ...titles.map(numeric)];
      const make = (): DataTable =>
        createDataTable(document, store, "Propagation of every layer", columns, layers.length, (row) => {
          const { id, q, c, forwardGain, backwardGain, predicted } = layers[row]!;
          const numbers = [q, predicted?.q, c, predicted?.c, forwardGain, backwardGain, predicted?.chi];
          return [name(id), ...numbers.map(score)];
        });
      made.push(foldedTable(document, "Propagation as a table", make));
    }
    return made;
  };

  return createSection(document, store, {
    part: "measured",
    title: "Conditioning and propagation",
    actions,
    waiting: "Not measured. Measuring runs the model and its gradients on the data of the recipe, layer by layer.",
    build,
    follow(changes) {
      if (changes.has("state"))
        for (const action of actions) action.toggleAttribute("disabled", store.shownRecipe === null);
      if (!changes.has("pointed") && !changes.has("selection")) return;
      for (const figure of figures) figure.mark(store.marked);
      for (const table of tables) table.mark(store.marked);
    },
  });
}

/** Three digits are all that an overlap of masks is worth. */
function round(share: number): number {
  return Number(share.toPrecision(3));
}
