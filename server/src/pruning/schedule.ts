/**
 * Schedules of pruning in rounds: after round t of T the share keep^(t/T) is kept, as in iterative SNIP (de Jorge et al.
 * 2021, arXiv 2006.09081) and SynFlow (Tanaka et al. 2020, arXiv 2006.05467).
 */
import type { Recipe } from "../../protocol/recipe.js";
import { type QuotaLayer, quotaCounts } from "./quotas.js";

/** Layers that are ranked together, and how many of their weights a round keeps. */
export interface RoundPool {
  /** Indices of the layers. */
  readonly layers: readonly number[];
  readonly keep: number;
}

/**
 * What is kept after `round` of `rounds`, 1 to `rounds`: of all together under a global scope, else of each layer. After
 * the last it is what the recipe's mask keeps, but for floors, which no round looks at.
 */
export function roundPools(
  layers: readonly QuotaLayer[],
  { sparsity, scope, quota }: Pick<Recipe, "sparsity" | "scope" | "quota">,
  round: number,
  rounds: number,
): readonly RoundPool[] {
  const share = (1 - sparsity) ** (round / rounds);
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const each = (counts: readonly number[]): RoundPool[] => counts.map((keep, l) => ({ layers: [l], keep }));
  if (quota !== undefined)
    return each(
      quotaCounts(
        layers,
        Math.round(share * total),
        quota,
        layers.map(() => 0),
      ),
    );
  if (scope === "layer") return each(layers.map(({ size }) => Math.round(share * size)));
  return [{ layers: layers.map((_, l) => l), keep: Math.round(share * total) }];
}
