/** Risk levels of DESIGN.md ("Mask"): how near a layer is to collapse at the chosen sparsity. */
import type { Risk } from "../../protocol/report.js";
import { keptCount, type Recipe } from "../../protocol/recipe.js";

/** What a layer's risk is judged by. */
export interface RiskFacts {
  readonly size: number;
  readonly kept: number;
  readonly excluded: boolean;
  readonly noSignal: boolean;
  /** Sparsity at which the layer is gone under the recipe's scope; null when it is not ranked. */
  readonly criticalSparsity: number | null;
  readonly deadOutputs: number | null;
  /** Kept weights that lie on a path from input to output; null or absent where that is not known. */
  readonly effective?: number | null;
}

/** Shares of outputs without any input from which a layer is at high and at low risk. */
export const deadOutputLimits = { high: 0.37, low: 0.05 } as const;

/** @param sparsity the recipe's sparsity s; a layer that dies before density 1 − s falls to half is at high risk, to a tenth at low. */
export function riskOf(facts: RiskFacts, sparsity: number): Risk {
  const { criticalSparsity, deadOutputs } = facts;
  if (facts.excluded) return "none";
  if (facts.noSignal) return "no-signal";
  if (facts.kept === 0) return "collapsed";
  const diesBefore = (factor: number): boolean =>
    criticalSparsity !== null && criticalSparsity <= 1 - (1 - sparsity) / factor;
  const dead = deadOutputs ?? 0;
  // At sparsity 0 nothing is pruned: outputs that are dead then were dead before.
  if (diesBefore(2) || dead > deadOutputLimits.high || facts.effective === 0) return "high";
  return diesBefore(10) || dead > deadOutputLimits.low ? "low" : "none";
}

/**
 * Sparsity at which a layer of `size` weights is gone when it is pruned by itself: the least s with
 * round((1 − s)·size) = 0, which is just above 1 − 1/(2·size).
 */
export function layerCriticalSparsity(size: number): number {
  const edge = 1 - 0.5 / size;
  return keptCount(size, edge) === 0 ? edge : nextUp(edge);
}

/**
 * Highest sparsity that leaves every layer a weight, whatever the ranking; null without layers. Under scope `layer` the
 * smallest layer decides.
 */
export function maxSparsity(
  sizes: readonly number[],
  { scope, quota }: Pick<Recipe, "scope" | "quota">,
): number | null {
  if (sizes.length === 0) return null;
  if (scope === "layer" && quota === undefined) return 1 - 0.5 / sizes.reduce((a, b) => Math.min(a, b));
  return 1 - sizes.length / sizes.reduce((a, b) => a + b);
}

function nextUp(value: number): number {
  const bits = new BigUint64Array(1);
  const float = new Float64Array(bits.buffer);
  float[0] = value;
  bits[0]! += 1n;
  return float[0];
}
