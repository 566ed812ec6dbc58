/**
 * The bound of Hayou et al. 2021 (Theorem 1) on the sparsity at which sensitivity pruning first empties a layer:
 * E[s_cr] ≤ min(1, (1/L)(1 + ln(κLN²)/κ) + O(1/(κ²√(LN²)))) with κ = |ln χ|/8, for L layers of width N off the edge of
 * chaos. It is a bound on an average, and empty below some hundred layers; the exact s_cr comes from scores.
 */

export interface CollapseBound {
  /** (1/L)(1 + ln(κLN²)/κ), at most 1; null where the theorem says nothing. */
  readonly bound: number | null;
  /** It excludes something: the bound is below 1. */
  readonly informative: boolean;
  /** 1/(κ²√(LN²)): what the theorem's remainder is a constant multiple of; null with `bound`. */
  readonly remainder: number | null;
  /** Why there is no bound, or what to know about it. */
  readonly explanation: string;
}

/** The remainder as it is written beside a curve. */
export const remainderTerm = "O(1/(κ²·√(L·N²)))";

/** @param chi χ of the layers. @param depth L. @param width N. */
export function collapseBound(chi: number, depth: number, width: number): CollapseBound {
  const kappa = Math.abs(Math.log(chi)) / 8;
  const nothing = (explanation: string): CollapseBound => ({
    bound: null,
    informative: false,
    remainder: null,
    explanation,
  });
  if (!(chi > 0 && Number.isFinite(chi))) return nothing("There is no χ to bound it with.");
  const volume = kappa * depth * width ** 2;
  // Below e the bound rises with depth: the theorem means large ones.
  if (volume < Math.E) return nothing("So near the edge of chaos the theorem says nothing at this depth and width.");
  const value = (1 + Math.log(volume) / kappa) / depth;
  const remainder = 1 / (kappa ** 2 * Math.sqrt(depth * width ** 2));
  return {
    bound: Math.min(1, value),
    informative: value < 1,
    remainder,
    explanation:
      value < 1
        ? `On average a layer is empty at this sparsity or before, up to ${remainderTerm}.`
        : "The theorem excludes nothing at this depth.",
  };
}

/** The least depth from which on the bound is below 1; null where it is not up to `deepest`. */
export function informativeFrom(chi: number, width: number, deepest = 100_000): number | null {
  // From κLN² = e on ln(κLN²)/L falls with L, so the last depth that excludes nothing is found by halving.
  if (!collapseBound(chi, deepest, width).informative) return null;
  let [below, above] = [0, deepest];
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (collapseBound(chi, middle, width).informative) above = middle;
    else below = middle;
  }
  return above;
}
