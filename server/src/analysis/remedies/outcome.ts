/** What a recipe comes to: the figures by which remedies are compared. */
import type { Recipe } from "../../../protocol/recipe.js";
import { criticalOf } from "../../pruning/collapse.js";
import { makeMask } from "../../pruning/mask.js";
import type { RankedScores } from "../scoring.js";

export interface Outcome {
  /** s_cr; null when nothing can be ranked, or no layer can go. */
  readonly criticalSparsity: number | null;
  /** Layers that are ranked, and every one of them has a floor. */
  readonly immortal: boolean;
  /** Layers without a weight at the recipe's sparsity. */
  readonly collapsed: number;
}

/** @throws PruneScopeError `non-finite` when scores cannot be ranked. */
export function outcomeOf(ranked: RankedScores, recipe: Recipe): Outcome {
  const { layers } = makeMask(ranked.scores, ranked.surveys, recipe);
  const { first } = criticalOf(ranked, recipe);
  return {
    criticalSparsity: first,
    immortal: first === null && ranked.lastRanks.some((rank) => rank !== null),
    collapsed: layers.filter(({ kept }) => kept === 0).length,
  };
}

/** Orders outcomes, better ones first: larger s_cr, then fewer collapsed layers. */
export function compareOutcomes(a: Outcome, b: Outcome): number {
  const height = ({ criticalSparsity, immortal }: Outcome): number => (immortal ? 1 : (criticalSparsity ?? -1));
  return height(b) - height(a) || a.collapsed - b.collapsed;
}

/** A share in percent; with two places near both ends, where sparsities differ by little. */
export function percent(share: number): string {
  const value = 100 * share;
  const places = value > 90 || value < 1 ? 2 : 1;
  return `${Number(value.toFixed(places))} %`;
}
