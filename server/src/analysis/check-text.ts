/** A check for terminals: a headline, and a line for each layer with its reason. */
import { pc } from "./colors.js";
import { patternText } from "../../protocol/pattern.js";
import type { CheckReport, LayerCheck } from "../../protocol/sparsity.js";
import { violationWords } from "./findings.js";
import { count, percent, plain, shorten } from "./text.js";

type Standing = "holds" | "fails" | "unchecked" | "excluded" | "cannot";

function standingOf({ use, excluded, unchecked, violations }: LayerCheck): Standing {
  if (excluded === true) return "excluded";
  if (unchecked !== undefined) return "unchecked";
  if (use === "none") return "cannot";
  return violations === 0 ? "holds" : "fails";
}

const colours: Readonly<Record<Standing, (text: string) => string>> = {
  holds: pc.green,
  fails: pc.red,
  unchecked: pc.red,
  excluded: pc.dim,
  cannot: pc.dim,
};

/** The table, at most `width` columns wide where names and reasons allow. */
export function checkTable(report: CheckReport, path: string, width: number): string {
  const { layers } = report;
  const nameWidth = Math.max(12, Math.min(44, width - 60, ...[Math.max(0, ...layers.map(({ id }) => id.length))]));
  const lines = layers.map((layer) => {
    const standing = standingOf(layer);
    const cells = [
      shorten(plain(layer.id), nameWidth).padEnd(nameWidth),
      shorten(plain(layer.op.split(".").at(-1)!), 8).padEnd(8),
      shorten(layer.shape.join("×"), 14).padStart(14),
      percent(layer.sparsity).padStart(7),
      colours[standing](standing.padEnd(9)),
    ];
    return `${cells.join("  ")}  ${plain(reasonOf(layer, standing, report))}`;
  });
  const header = ["layer".padEnd(nameWidth), "op".padEnd(8), "shape".padStart(14), "zeros".padStart(7), "pattern"];
  return `${[pc.bold(plain(path)), checkHeadline(report), "", pc.dim(header.join("  ")), ...lines].join("\n")}\n`;
}

function reasonOf(layer: LayerCheck, standing: Standing, { pattern }: CheckReport): string {
  switch (standing) {
    case "holds":
      return `${count(layer.groups)} groups; ${layer.reason}`;
    case "fails":
      return violationWords(layer, pattern.n);
    case "unchecked":
      return layer.unchecked ?? "";
    case "cannot":
      return layer.reason;
    case "excluded":
      return layer.groups === 0 ? layer.reason : violationWords(layer, pattern.n);
  }
}

/** Whether a model holds its pattern, in a sentence. */
export function checkHeadline({ pattern, holds, layers }: CheckReport): string {
  const standings = layers.map(standingOf);
  const number = (standing: Standing): number => standings.filter((one) => one === standing).length;
  const able = number("holds") + number("fails") + number("unchecked");
  const name = patternText(pattern);
  const rest = [
    ...(number("cannot") > 0 ? [`${number("cannot")} cannot`] : []),
    ...(number("excluded") > 0 ? [`${number("excluded")} excluded`] : []),
  ];
  const others = rest.length === 0 ? "" : `; ${rest.join(", ")}`;
  if (able === 0) return `No layer can hold ${name}${others}.`;
  return `${name} ${holds ? "holds" : "does not hold"}: ${number("holds")} of ${able} layers that can hold it do${others}.`;
}
