/**
 * The masks of a recipe at all sparsities, from nothing removed to everything: each keeps a part of what the one before
 * keeps. What dies on the way dies at one place, which bisection finds exactly.
 */
import { keptCount, type Recipe } from "../../protocol/recipe.js";
import { makeMask, type Mask } from "./mask.js";
import type { OrderedScores } from "./order.js";
import type { LayerSurvey } from "./survey.js";

/** Masks by a number that grows with what they remove. */
export interface Ladder {
  /** Where most is removed; 0 is where nothing is. */
  readonly last: number;
  mask(rung: number): Mask;
  /** The same for rungs with the same mask. */
  key(rung: number): string;
  /** A rung between two others; null when there is none. */
  between(low: number, high: number): number | null;
  /** The sparsity that a rung stands for. */
  sparsity(rung: number): number;
  /** Whether each rung removes the next weight in the order of all that are not excluded, and nothing else. */
  readonly single: boolean;
}

/**
 * The ladder of a recipe. Under scope `global`, and under quotas, a rung is a number of removed weights of the N that are
 * not excluded, beside those that restrictions remove, and stands for all removed/N: one weight more at every rung, equal
 * scores told apart as in every mask. Where each layer is pruned by itself, rungs are sparsities.
 */
export function ladderOf(
  scores: OrderedScores,
  surveys: readonly LayerSurvey[],
  excluded: readonly boolean[],
  recipe: Recipe,
): Ladder {
  const sizes = surveys.flatMap(({ size }, l) => (excluded[l] === true ? [] : [size]));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const outside = surveys.reduce((sum, survey, l) => sum + (excluded[l] === true ? 0 : survey.outside), 0);
  const at = (sparsity: number): Mask => makeMask(scores, surveys, { ...recipe, sparsity });
  if (recipe.scope === "global" || recipe.quota !== undefined) {
    return {
      single: recipe.quota === undefined && Object.keys(recipe.floors).length === 0,
      last: total - outside,
      mask: (rung) => at(total === 0 ? 0 : (outside + rung) / total),
      key: String,
      between: (low, high) => (high - low <= 1 ? null : Math.floor((low + high) / 2)),
      sparsity: (rung) => (rung === 0 ? 0 : (outside + rung) / total),
    };
  }
  return {
    single: false,
    last: 1,
    mask: at,
    key: (sparsity) => sizes.map((size) => keptCount(size, sparsity)).join(),
    between: (low, high) => {
      const middle = (low + high) / 2;
      return middle <= low || middle >= high ? null : middle;
    },
    sparsity: (sparsity) => sparsity,
  };
}

/** Something that is alive at one rung and dead at a later one. */
export interface Bracket {
  readonly alive: number;
  readonly dead: number;
}

/**
 * The first rung at which each target is dead; null where `most` probes were not enough. A probe looks at all targets,
 * and so narrows all brackets; it is told the one that it was made for.
 */
export async function firstDead(
  ladder: Ladder,
  brackets: readonly Bracket[],
  most: number,
  probe: (rung: number, within: Bracket) => Promise<readonly boolean[]>,
): Promise<readonly (number | null)[]> {
  const now = brackets.map((bracket) => ({ ...bracket }));
  const known = new Map<string, readonly boolean[]>();
  let probes = 0;
  for (const target of now) {
    for (;;) {
      const rung = ladder.between(target.alive, target.dead);
      if (rung === null) break;
      const key = ladder.key(rung);
      let alive = known.get(key);
      if (alive === undefined) {
        if (probes++ >= most) return now.map(({ alive, dead }) => (ladder.between(alive, dead) === null ? dead : null));
        known.set(key, (alive = await probe(rung, target)));
      }
      now.forEach((one, t) => {
        if (alive[t] === true) one.alive = Math.max(one.alive, rung);
        else one.dead = Math.min(one.dead, rung);
      });
    }
  }
  return now.map(({ dead }) => dead);
}
