/**
 * The correlation c of two inputs' pre-activations from layer to layer: c ← (σ_b² + σ_w² E φ(u₁)φ(u₂))/V(q), u₁ and u₂
 * ~ N(0, q) with correlation c (Poole et al. 2016, eq. 5). As a power series in c the map has no negative coefficient, so
 * on [0, 1] it rises and is convex: with slope at most 1 at c = 1 that is the only fixed point, else there is one more.
 */
import type { Activation } from "./activations/activation.js";
import { meanProduct, meanSlopes } from "./moments.js";
import { nextVariance, type Scale, type Stability, stabilityOf } from "./variance-map.js";

export interface FixedCorrelation {
  readonly c: number;
  /** The map's slope there; at c = 1 and q = q* it is χ. */
  readonly slope: number;
  readonly stability: Stability;
}

export interface CorrelationFlow {
  /** Fixed points in [0, 1], ascending; those below 0 mirror them, and attract nothing. */
  readonly fixed: readonly FixedCorrelation[];
  /** Every correlation is kept (a linear φ without bias). `fixed` is empty then. */
  readonly everyFixed: boolean;
}

/** How near Newton's steps come to the fixed point. */
const settled = 1e-12;
/** Newton halves the distance at least, near a double root too. */
const steps = 60;

/** The correlation one layer on. @param q variance of the pre-activations, above 0. @param c in [−1, 1]. */
export function nextCorrelation(activation: Activation, scale: Scale, q: number, c: number): number {
  const next =
    (scale.sigmaB ** 2 + scale.sigmaW ** 2 * meanProduct(activation, q, c)) / nextVariance(activation, scale, q);
  return Math.min(1, Math.max(-1, next));
}

/** Derivative of {@link nextCorrelation} by c. */
export const correlationSlope = (activation: Activation, scale: Scale, q: number, c: number): number =>
  (scale.sigmaW ** 2 * q * meanSlopes(activation, q, c)) / nextVariance(activation, scale, q);

/**
 * Fixed points at variance q.
 * @returns null where φ jumps: the slope at c = 1 is infinite then, and E φ'φ' is not the map's slope elsewhere.
 */
export function correlationFlow(activation: Activation, scale: Scale, q: number): CorrelationFlow | null {
  if (activation.jumps) return null;
  const at = (c: number): FixedCorrelation => {
    const slope = correlationSlope(activation, scale, q, c);
    return { c, slope, stability: stabilityOf(slope) };
  };
  const excess = (c: number): number => nextCorrelation(activation, scale, q, c) - c;
  if (Math.abs(excess(0)) < settled && Math.abs(excess(0.5)) < settled) return { fixed: [], everyFixed: true };
  const one = at(1);
  if (one.stability !== "unstable") return { fixed: [one], everyFixed: false };
  let c = 0;
  for (let i = 0; i < steps; i++) {
    const step = excess(c) / (1 - correlationSlope(activation, scale, q, c));
    // Left of the root of a convex function Newton rises towards it; anything else is rounding.
    if (!(step > settled)) break;
    c += step;
  }
  return { fixed: [at(c), one], everyFixed: false };
}
