/** What a report says of a recipe's pattern: how each layer stands to it, what it keeps of the score, and both in words. */
import type { Recipe } from "../../protocol/recipe.js";
import { patternText } from "../../protocol/pattern.js";
import type { LayerPattern } from "../../protocol/report.js";
import type { Criterion } from "../criteria/criterion.js";
import { listed } from "../data/listed.js";
import { survivors } from "../pruning/survey.js";
import type { RankedScores } from "./scoring.js";

/** Longest list of layers in a note. */
const mostNamed = 3;

/** Σ of what is kept over Σ of all; null where scores can be negative, so that a share means nothing, or all are 0. */
export function retainedShare(kept: number, all: number, { signed }: Pick<Criterion, "signed">): number | null {
  return signed || !(all > 0) ? null : kept / all;
}

/** How each layer stands to the recipe's pattern, and the share of its score that restrictions keep; null without one. */
export function layerPatterns({ restrictions, surveys, plain, criterion }: RankedScores): LayerPattern[] | null {
  if (restrictions.fits === null) return null;
  return restrictions.fits.map(({ use, reason, layout }, l): LayerPattern => {
    // Scores that cannot be ranked were left as they are.
    const known = layout !== null && surveys !== plain.surveys;
    return {
      use,
      reason,
      retained: known ? retainedShare(surveys[l]!.sum, plain.surveys[l]!.sum, criterion) : null,
    };
  });
}

/** Share of the weights that are not excluded that restrictions alone remove. */
export function restrictedShare({ surveys, excluded, total }: RankedScores): number {
  if (total === 0) return 0;
  const left = surveys.reduce((sum, survey, l) => sum + (excluded[l] === true ? 0 : survivors(survey)), 0);
  return 1 - left / total;
}

/** Which layers get the pattern, which do not and why, and what that means. */
export function patternNotes(ranked: RankedScores, { pattern, sparsity }: Recipe): string[] {
  const { fits } = ranked.restrictions;
  if (pattern === undefined || fits === null) return [];
  const label = patternText(pattern);
  const holding = fits.filter(({ layout }) => layout !== null).length;
  const reasons = new Map<string, string[]>();
  fits.forEach(({ reason, layout }, l) => {
    const { id } = ranked.scores.layers[l]!;
    if (layout === null && ranked.excluded[l] !== true) reasons.set(reason, [...(reasons.get(reason) ?? []), id]);
  });
  const without = [...reasons].map(([reason, ids]) => `${listed(ids, mostNamed)} (${reason})`).join("; ");
  const fate = sparsity === 0 ? "Left dense" : "Pruned by scores alone";
  const held =
    holding === 0
      ? `No layer can hold ${label}.`
      : `${holding} of ${fits.length} layers hold ${label} along their reduction axis.`;
  return [
    held + (without === "" ? "" : ` ${fate}: ${without}.`),
    ...(holding > 0 ? [kernelWords(fits.filter(({ use }) => use === "kernel").length, holding)] : []),
    ...removedWords(ranked, sparsity),
  ];
}

/** What the pattern removes beside what was asked for. */
function removedWords(ranked: RankedScores, sparsity: number): string[] {
  const share = restrictedShare(ranked);
  if (share === 0) return [];
  const alone = `The pattern alone removes ${percent(share)} of the prunable weights`;
  if (sparsity === 0) return [`${alone}.`];
  return share >= sparsity
    ? [`${alone}, no less than the ${percent(sparsity)} that are asked for: nothing else goes.`]
    : [`${alone}; the rest of the ${percent(sparsity)} goes by scores.`];
}

function kernelWords(kernels: number, holding: number): string {
  if (kernels === 0)
    return "As the model is stored, no sparse kernel is known to take it: each layer's reason says what stands against it.";
  const which = kernels === holding ? "them" : `${kernels} of them`;
  return `For ${which} a sparse kernel may be chosen; that is no promise that it will be faster: runtimes time both.`;
}

const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;
