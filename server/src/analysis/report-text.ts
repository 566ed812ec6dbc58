/** The report for terminals and spreadsheets: a table with density bars, and CSV. */
import { pc } from "./colors.js";
import { patternText } from "../../protocol/pattern.js";
import type { Report, Risk } from "../../protocol/report.js";
import { deadOutputLimits } from "../pruning/risk.js";
import { count, percent, plain, shorten } from "./text.js";

/** Characters of a density bar. */
const barWidth = 20;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of `share` of the width, in eighths of a character. A share above 0 always shows. */
export function densityBar(share: number): string {
  const steps = share > 0 ? Math.max(1, Math.round(share * barWidth * 8)) : 0;
  return ("█".repeat(Math.floor(steps / 8)) + eighths[steps % 8]!).padEnd(barWidth, "·");
}

const riskColour: Readonly<Record<Risk, (text: string) => string>> = {
  none: (text) => text,
  low: pc.yellow,
  high: pc.red,
  collapsed: pc.bgRed,
  "no-signal": pc.magenta,
};

/** The per-layer table with its headline, at most `width` columns wide where names allow. */
export function reportTable(report: Report, width: number): string {
  const lines: string[] = [];
  const { layers, model } = report;
  lines.push(
    pc.bold(plain(model.path)),
    `${count(model.parameters)} parameters, ${count(model.prunable)} prunable in ${layers.length} layers`,
    ...(report.loss === null ? [] : [`loss ${Number(report.loss.toPrecision(6))}${batchNormWords(report)}`]),
    `${report.criterion}${report.pattern === undefined ? "" : `, ${patternText(report.pattern)}`}, sparsity ${percent(report.sparsity, 2)} (${report.scope}), seed ${report.seed}: ` +
      `${count(report.kept)} weights kept; ${percent(report.sparsityOfAll, 2)} of all parameters removed`,
    "",
  );
  const nameWidth = Math.max(12, Math.min(44, width - 76, Math.max(...layers.map((layer) => layer.id.length))));
  const patterned = report.pattern !== undefined;
  const row = (cells: readonly [string, string, string, string, string, string, string, string]): string => {
    const [name, op, shape, kept, bar, share, dies, retained] = cells;
    const last = patterned ? `  ${retained.padStart(10)}` : "";
    return `${name.padEnd(nameWidth)}  ${op.padEnd(8)}  ${shape.padStart(14)}  ${kept.padStart(11)}  ${bar}  ${share.padStart(7)}  ${dies.padStart(8)}${last}`;
  };
  lines.push(pc.dim(row(["layer", "op", "shape", "kept", "density".padEnd(barWidth), "", "dies at", "score kept"])));
  for (const layer of layers) {
    const colour = riskColour[layer.risk];
    const dies =
      layer.unscored !== null
        ? "no score"
        : layer.excluded
          ? "excluded"
          : layer.criticalSparsity === null
            ? "–"
            : percent(layer.criticalSparsity, 2);
    const op = layer.op.split(".").at(-1)!;
    lines.push(
      colour(
        row([
          shorten(plain(layer.id), nameWidth),
          shorten(plain(op), 8),
          shorten(layer.shape.join("×"), 14),
          count(layer.kept),
          densityBar(layer.density),
          percent(layer.density),
          dies,
          retainedWords(layer),
        ]),
      ) + colour(riskWords(layer)),
    );
  }
  lines.push("", headline(report));
  for (const [reason, ids] of unscored(report))
    lines.push(pc.dim(`no score, left dense: ${ids.map((id) => plain(id)).join(", ")}: ${plain(reason)}`));
  for (const note of report.notes) lines.push(pc.dim(`note: ${plain(note)}`));
  return `${lines.join("\n")}\n`;
}

/** Share of the score that the pattern keeps; a dash where the layer does not get it. */
const retainedWords = ({ pattern }: Report["layers"][number]): string =>
  pattern === undefined || pattern.use === "none" ? "–" : pattern.retained === null ? "n/a" : percent(pattern.retained);

const batchNormWords = ({ batchNorm }: Report): string =>
  batchNorm === null ? "" : `, BatchNormalization by ${batchNorm === "batch" ? "the batch's" : "stored"} statistics`;

/** Layers without a score, by the reason. */
function unscored({ layers }: Report): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  for (const { id, unscored: reason } of layers)
    if (reason !== null) reasons.set(reason, [...(reasons.get(reason) ?? []), id]);
  return reasons;
}

/** The risk, with the outputs that have no weight left where these are its reason. */
function riskWords({ risk, deadOutputs }: Report["layers"][number]): string {
  if (risk === "none") return "";
  const dead = deadOutputs ?? 0;
  return `  ${risk}${dead > deadOutputLimits.low && risk !== "collapsed" ? `, ${percent(dead, 0)} of outputs dead` : ""}`;
}

/** What a person should know first. */
export function headline(report: Report): string {
  const { layers, criticalSparsity } = report;
  const atRisk = layers.filter((layer) => layer.risk === "high" || layer.risk === "collapsed");
  const first = layers.reduce<(typeof layers)[number] | null>((least, layer) => {
    if (layer.criticalSparsity === null) return least;
    return least?.criticalSparsity == null || layer.criticalSparsity < least.criticalSparsity ? layer : least;
  }, null);
  if (first === null || criticalSparsity === null) return "No layer can be ranked.";
  const collapsed = layers.filter((layer) => layer.risk === "collapsed").length;
  const gone = collapsed > 0 ? `${collapsed} of ${layers.length} layers have collapsed. ` : "";
  return (
    `${gone}${atRisk.length === 0 ? "No layer is" : atRisk.length === 1 ? "1 layer is" : `${atRisk.length} layers are`} at high risk; ` +
    `"${plain(first.id)}" goes first, at sparsity ${percent(criticalSparsity, 2)}.`
  );
}

/** One line per layer, RFC 4180. */
export const reportCsv = (report: Report): string => csv([csvColumns(report), ...csvRows(report)]);

/** The same for several models of one recipe, with each one's path in the first column. */
export const reportsCsv = (reports: readonly Report[]): string =>
  csv([
    ["model", ...csvColumns(reports[0])],
    ...reports.flatMap((report) => csvRows(report).map((cells) => [report.model.path, ...cells])),
  ]);

type Cell = string | number | null;

const csvColumns = (report: Report | undefined): string[] => [
  "id",
  "name",
  "op",
  "weight",
  "shape",
  "parameters",
  "kept",
  "density",
  "sum",
  "mean",
  "max",
  "rms",
  "zeroShare",
  "criticalSparsity",
  "deadOutputs",
  "risk",
  "unscored",
  ...(report?.pattern === undefined ? [] : ["pattern", "patternReason", "retained"]),
];

/** Cells of each layer. */
const csvRows = ({ layers }: Report): Cell[][] =>
  layers.map(({ score, ...layer }) => [
    layer.id,
    layer.name,
    layer.op,
    layer.weight,
    layer.shape.join("x"),
    layer.parameters,
    layer.kept,
    layer.density,
    score?.sum ?? null,
    score?.mean ?? null,
    score?.max ?? null,
    score?.rms ?? null,
    score?.zeroShare ?? null,
    layer.criticalSparsity,
    layer.deadOutputs,
    layer.risk,
    layer.unscored,
    ...(layer.pattern === undefined ? [] : [layer.pattern.use, layer.pattern.reason, layer.pattern.retained]),
  ]);

const csv = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((cells) => cells.map(csvCell).join(",")).join("\r\n") + "\r\n";

function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // A leading = + - @ would be a formula in a spreadsheet.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
