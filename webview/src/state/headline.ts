/**
 * The one sentence that says what pruning would do at the current sparsity, computed from the analysis. Names are kept
 * apart from words, so that the view can set them as code and never as markup.
 */
import { layerLabel, shorten } from "../text/names.js";
import { counted, integer, percent } from "../text/numbers.js";
import { amountWords } from "../text/recipe.js";
import type { LiveCounts } from "./live-counts.js";
import type { Analysis, Survey } from "./survey.js";

/** A piece of the sentence: plain words, or the name of a layer. */
export interface Piece {
  readonly text: string;
  readonly name: boolean;
}

/** How many layers are how badly off. */
export interface RiskCounts {
  low: number;
  high: number;
  collapsed: number;
  noSignal: number;
}

/** Counts the risks. */
export function countRisks(counts: LiveCounts, into: RiskCounts): RiskCounts {
  into.low = into.high = into.collapsed = into.noSignal = 0;
  for (const risk of counts.risks) {
    if (risk === "low") into.low++;
    else if (risk === "high") into.high++;
    else if (risk === "collapsed") into.collapsed++;
    else if (risk === "no-signal") into.noSignal++;
  }
  return into;
}

/** "At 90 % sparsity 3 of 54 layers are at risk; `conv1` goes first, at 97.2 %." */
export function headline(survey: Survey, analysis: Analysis, counts: LiveCounts, risks: RiskCounts): Piece[] {
  if (analysis.blocking.length > 0) return blockedSentence(survey, analysis);
  const layers = survey.model.layers.length;
  const unscored = analysis.layers.filter(({ score }) => score === null).length;
  if (counts.excluded.every(Boolean)) {
    if (unscored === 0) return [words("Every layer is excluded, so nothing is pruned.")];
    const none = unscored === layers ? "No layer has a score" : "No layer that is not excluded has a score";
    return [words(`${none}, so nothing is pruned.`)];
  }
  const atRisk = risks.low + risks.high;
  const about = counts.approximate ? "≈ " : "";
  const { pattern } = analysis.result.report;
  const amount = amountWords(pattern, counts.sparsity);
  const pieces = [words(pattern === undefined ? `At ${amount} ` : `Under ${amount}, `)];
  if (risks.collapsed > 0) {
    pieces.push(words(`${about}${integer(risks.collapsed)} of ${counted(layers, "layer")} `));
    pieces.push(words(risks.collapsed === 1 ? "is gone" : "are gone"));
    if (atRisk > 0) pieces.push(words(` and ${integer(atRisk)} more ${atRisk === 1 ? "is" : "are"} at risk`));
  } else if (atRisk > 0) {
    pieces.push(
      words(`${about}${integer(atRisk)} of ${counted(layers, "layer")} ${atRisk === 1 ? "is" : "are"} at risk`),
    );
  } else {
    pieces.push(words(layers === 1 ? "the only layer is not at risk" : "no layer is at risk"));
  }
  const first = analysis.first;
  const critical = analysis.layers[first]?.criticalSparsity ?? 1;
  if (critical < 1) {
    const gone = risks.collapsed > 0 && counts.kept[first]! < 0.5;
    pieces.push(words("; "), nameOf(survey, first));
    pieces.push(words(`${gone ? " went" : " goes"}${layers === 1 ? "" : " first,"} at ${percent(critical)}`));
  }
  if (risks.noSignal > 0) {
    const one = risks.noSignal === 1;
    pieces.push(words(`. ${counted(risks.noSignal, "layer")} ${one ? "carries" : "carry"} no signal`));
  }
  if (unscored > 0) {
    const one = unscored === 1;
    pieces.push(
      words(`. ${counted(unscored, "layer")} ${one ? "has" : "have"} no score and ${one ? "stays" : "stay"} dense`),
    );
  }
  pieces.push(words("."));
  return pieces;
}

function blockedSentence(survey: Survey, analysis: Analysis): Piece[] {
  const { blocking, layers } = analysis;
  const pieces: Piece[] = [];
  for (const l of blocking.slice(0, 2)) {
    if (pieces.length > 0) pieces.push(words(", "));
    const nonFinite = layers[l]!.score?.nonFinite ?? 0;
    const verb = nonFinite === 1 ? "is" : "are";
    pieces.push(nameOf(survey, l), words(` holds ${counted(nonFinite, "score")} that ${verb} not a finite number`));
  }
  const more = blocking.length - 2;
  if (more > 0) pieces.push(words(`, and so ${more === 1 ? "does" : "do"} ${counted(more, "other layer")}`));
  const them = blocking.length === 1 ? "it" : "them";
  pieces.push(words(`. Such weights cannot be ranked: exclude ${them} to prune the rest.`));
  return pieces;
}

function words(text: string): Piece {
  return { text, name: false };
}

function nameOf(survey: Survey, layer: number): Piece {
  return { text: shorten(layerLabel(survey.model.layers[layer]!)), name: true };
}
