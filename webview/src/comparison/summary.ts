/** The two models in a few figures each: sizes, weights that are left, accuracy, latency; and what one is of the other. */
import type { CompareReport, Latency } from "../../../server/protocol/compare.js";
import { elementsOf } from "../elements.js";
import { shorten } from "../text/names.js";
import { bytes, integer, percent } from "../text/numbers.js";
import { smallTable, type SmallRow } from "./table.js";

/** Milliseconds with three significant digits. */
export function milliseconds(value: number): string {
  return `${value >= 100 ? integer(value) : value.toPrecision(3)}\u00a0ms`;
}

/** Makes the table of `report`; the columns are headed by the models' names. */
export function createSummary(
  document: Document,
  report: CompareReport,
  names: { readonly original: string; readonly pruned: string },
): HTMLElement {
  const h = elementsOf(document);
  const head = (role: string, name: string, path: string): Node =>
    h("span", { class: "compared-name", title: path }, h("small", {}, role), h("code", {}, shorten(name, 40)));
  return smallTable(
    document,
    "Both models",
    [
      "",
      head("Original", names.original, report.original.path),
      head("Pruned", names.pruned, report.pruned.path),
      "Of the original",
    ],
    summaryRows(report),
  );
}

function summaryRows({ original, pruned, compressed, layers, accuracy, latency }: CompareReport): SmallRow[] {
  const rows: SmallRow[] = [amounts("On disk", original.bytes, pruned.bytes, bytes)];
  if (compressed !== null && !("code" in compressed))
    rows.push(amounts("Zipped", compressed.original.compressed, compressed.pruned.compressed, bytes));
  const left = (which: "original" | "pruned"): number =>
    layers.reduce((sum, { parameters, zeros }) => sum + (zeros[which] === null ? 0 : parameters - zeros[which]), 0);
  rows.push({
    ...amounts("Weights not 0", left("original"), left("pruned"), integer),
    meaning: "Elements of layers that can be pruned",
  });
  if (accuracy !== null) {
    const gap = 100 * (accuracy.pruned - accuracy.original);
    rows.push({
      name: "Accuracy",
      cells: [
        percent(accuracy.original),
        percent(accuracy.pruned),
        `${gap > 0 ? "+" : gap < 0 ? "−" : "±"}${Number(Math.abs(gap).toFixed(2))} points`,
      ],
      meaning: `Share of ${integer(accuracy.samples)} labels that the largest score is right about`,
    });
  }
  if (latency !== null)
    rows.push({
      ...amounts("Latency", latency.original.median, latency.pruned.median, milliseconds),
      meaning: "Median of one run",
    });
  return rows;
}

function amounts(name: string, before: number, after: number, words: (value: number) => string): SmallRow {
  return { name, cells: [words(before), words(after), before > 0 ? percent(rounded(after / before)) : "—"] };
}

/** Whether two latencies can be told apart by their quartiles, in a sentence. */
export function latencySentence(original: Latency, pruned: Latency): string {
  const [faster, slower] = original.median <= pruned.median ? [original, pruned] : [pruned, original];
  if (faster.high >= slower.low)
    return "The quartiles overlap: no difference can be told from the machine's own unrest.";
  const share = percent(rounded(1 - faster.median / slower.median));
  return `The ${faster === original ? "original" : "pruned model"} takes ${share} less time; the quartiles do not overlap.`;
}

/** Three significant digits are all that a ratio of measurements is worth. */
const rounded = (share: number): number => Number(share.toPrecision(3));
