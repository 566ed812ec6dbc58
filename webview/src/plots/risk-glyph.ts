/**
 * The mark that says a risk without colour: an outlined triangle for low, a filled one for high, a cross for collapsed,
 * a ring for no signal, a bar for a layer that is left dense, a broken one where that is for want of a score. The same
 * marks stand in plot, legend and table.
 */
import type { LayerReport, Risk } from "../../../server/protocol/report.js";

/** A risk, or the state of a layer that takes no part. */
export type Standing = Risk | "excluded" | "no-score" | "non-finite";

/** Standing of a layer that has `risk` now. */
export function standingOf(risk: Risk, { score, excluded }: Pick<LayerReport, "score" | "excluded">): Standing {
  if (score === null) return "no-score";
  if (excluded) return "excluded";
  return score.nonFinite > 0 ? "non-finite" : risk;
}

/** Every standing, from harmless to worst. */
export const standings: readonly Standing[] = [
  "none",
  "excluded",
  "no-score",
  "low",
  "no-signal",
  "high",
  "collapsed",
  "non-finite",
];

const words: Readonly<Record<Standing, string>> = {
  none: "none",
  low: "low",
  high: "high",
  collapsed: "collapsed",
  "no-signal": "no signal",
  excluded: "excluded",
  "no-score": "no score",
  "non-finite": "not finite",
};

/** The word for a standing. */
export function standingWord(standing: Standing): string {
  return words[standing];
}

/**
 * The same as a stroke of a length, for bars that are too narrow for a mark: the longer, the worse. A relative path that
 * hangs from where it starts and is `width` wide.
 */
export function tickPath(standing: Standing, width: string): string {
  const length = tickLengths[standing];
  return length === 0 ? "" : `h${width}v${length}h-${width}z`;
}

const tickLengths: Readonly<Record<Standing, number>> = {
  none: 0,
  excluded: 1,
  "no-score": 2,
  low: 3,
  "no-signal": 3,
  high: 6,
  collapsed: 9,
  "non-finite": 9,
};

/** Path of the mark, centred on 0,0 and `size` wide; empty for a layer without risk. */
export function glyphPath(standing: Standing, size: number): string {
  const r = Math.round(size * 50) / 100;
  switch (standing) {
    case "none":
      return "";
    case "low":
    case "high":
      return `M0,${-r}L${r},${r}L${-r},${r}Z`;
    case "collapsed":
    case "non-finite":
      return `M${-r},${-r}L${r},${r}M${r},${-r}L${-r},${r}`;
    case "no-signal":
      return `M${-r},0A${r},${r} 0 1 1 ${r},0A${r},${r} 0 1 1 ${-r},0Z`;
    case "excluded":
      return `M${-r},0L${r},0`;
    case "no-score":
      return `M${-r},0L${-r / 4},0M${r / 4},0L${r},0`;
  }
}
