/** The summary of a batch, for terminals: a line per model. */
import { pc } from "./colors.js";
import { patternText } from "../../protocol/pattern.js";
import type { NofM } from "../../protocol/recipe.js";
import type { Report } from "../../protocol/report.js";
import { count, percent, plain, shorten } from "./text.js";

/** One model of a batch; what is not known of it is null. */
export interface SummaryRow {
  readonly path: string;
  readonly layers: number | null;
  /** Share of the prunable weights that are removed, or are 0 in a file that is checked. */
  readonly sparsity: number | null;
  readonly criticalSparsity: number | null;
  readonly collapsed: number | null;
  readonly pattern: NofM | null;
  readonly outcome: string;
  readonly good: boolean;
}

/** A model that nothing is known of but why. */
export const failedRow = (path: string, outcome: string): SummaryRow => ({
  ...{ path, layers: null, sparsity: null, criticalSparsity: null, collapsed: null, pattern: null },
  ...{ outcome, good: false },
});

/** What a report says of its model; `outcome` is null where all is well. */
export function reportRow(path: string, report: Report, outcome: string | null, well: string): SummaryRow {
  const { layers, model, kept, criticalSparsity, pattern } = report;
  return {
    path,
    layers: layers.length,
    sparsity: 1 - kept / model.prunable,
    criticalSparsity,
    collapsed: layers.filter(({ risk }) => risk === "collapsed").length,
    pattern: pattern ?? null,
    outcome: outcome ?? well,
    good: outcome === null,
  };
}

/** The table, at most `width` columns wide where names allow; `shown` says how a path is written. */
export function summaryTable(rows: readonly SummaryRow[], width: number, shown: (path: string) => string): string {
  const names = rows.map(({ path }) => plain(shown(path)));
  const nameWidth = Math.max(12, Math.min(Math.max(...names.map(({ length }) => length)), width - 76));
  const line = (name: string, cells: readonly string[], outcome: string): string =>
    `${shorten(name, nameWidth).padEnd(nameWidth)}  ${cells.map((cell) => cell.padStart(9)).join("  ")}  ${outcome}`;
  const share = (value: number | null): string => (value === null ? "–" : percent(value, 2));
  const number = (value: number | null): string => (value === null ? "–" : count(value));
  return `${[
    "",
    pc.bold("Summary"),
    pc.dim(line("model", ["layers", "sparsity", "critical", "collapsed", "pattern"], "outcome")),
    ...rows.map((row, i) => {
      const { layers, sparsity, criticalSparsity, collapsed, pattern, outcome, good } = row;
      const cells = [number(layers), share(sparsity), share(criticalSparsity), number(collapsed)];
      const text = line(
        names[i]!,
        [...cells, pattern === null ? "–" : patternText(pattern)],
        plain(outcome).replace(/\n/g, " "),
      );
      return good ? text : pc.red(text);
    }),
  ].join("\n")}\n`;
}
