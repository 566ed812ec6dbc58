/**
 * The variance q of pre-activations from layer to layer: q ← V(q) = σ_b² + σ_w² E φ(√q Z)² (Poole et al. 2016, eq. 3),
 * its fixed points and where it runs from any start. V rises with q for every activation here, so a sequence goes
 * straight to the next fixed point or out of bounds.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Activation } from "./activations/activation.js";
import { meanSquare, moments } from "./moments.js";
import { logarithmicGrid, roots, type Sample } from "./roots.js";

/** Variances of a layer: weights σ_w²/fan_in, biases σ_b². */
export interface Scale {
  readonly sigmaW: number;
  readonly sigmaB: number;
}

export type Stability = "stable" | "marginal" | "unstable";

export interface FixedVariance {
  /** V(q) = q. */
  readonly q: number;
  /** V'(q). */
  readonly slope: number;
  readonly stability: Stability;
}

export interface VarianceFlow {
  /** Ascending. */
  readonly fixed: readonly FixedVariance[];
  /** V(q) = q for every q: a homogeneous φ on its edge of chaos. `fixed` is empty then. */
  readonly everyFixed: boolean;
  /** Starts above the last fixed point (all starts when there is none) grow without bound. */
  readonly diverges: boolean;
}

/** How near to 1 a slope counts as 1: what is left of float64 after quadrature and root finding. */
const marginal = 1e-9;
/** Rounding errors of expectations, relative to q. */
export const rounding = 1e-14;
/** Fixed points are looked for up to this q; grid points a decade. */
const [farthest, perDecade] = [1e8, 16];

export const stabilityOf = (slope: number): Stability =>
  Math.abs(slope - 1) <= marginal ? "marginal" : slope < 1 ? "stable" : "unstable";

/** V(q). @param q at least 0. */
export const nextVariance = (activation: Activation, { sigmaW, sigmaB }: Scale, q: number): number =>
  sigmaB ** 2 + sigmaW ** 2 * (q > 0 ? meanSquare(activation, q) : activation.value(0) ** 2);

/** V'(q). @param q above 0. */
export const varianceSlope = (activation: Activation, { sigmaW }: Scale, q: number): number =>
  sigmaW ** 2 * moments(activation, q).growth;

/** E φ'(u)² for q → 0, which is also the limit of E φ(u)²/q where φ(0) = 0. */
export function slopeAtZero({ slope }: Activation): number {
  const tiny = Number.MIN_VALUE;
  return (slope(-tiny) ** 2 + slope(tiny) ** 2) / 2;
}

/** lim E φ(u)²/q = lim E φ'(u)² for q → ∞. */
export const slopeAtInfinity = ({ tails }: Activation): number => (tails.left ** 2 + tails.right ** 2) / 2;

/** All fixed points up to q = 1e8. @throws PruneScopeError `bad-request` for a scale out of range. */
export function varianceFlow(activation: Activation, scale: Scale): VarianceFlow {
  checkScale(scale);
  return activation.homogeneous ? homogeneousFlow(activation, scale) : searchedFlow(activation, scale);
}

/** Where a start runs: a fixed point, or null when it grows without bound. */
export function reachedFrom(
  activation: Activation,
  scale: Scale,
  { fixed, everyFixed }: VarianceFlow,
  start: number,
): FixedVariance | null {
  if (everyFixed) return { q: start, slope: 1, stability: "marginal" };
  const rises = nextVariance(activation, scale, start) > start;
  const ahead = fixed.filter(({ q }) => (rises ? q >= start : q <= start));
  return ahead.at(rises ? 0 : -1) ?? null;
}

/** V(q) = σ_b² + g·q. */
function homogeneousFlow(activation: Activation, { sigmaW, sigmaB }: Scale): VarianceFlow {
  const slope = sigmaW ** 2 * slopeAtInfinity(activation);
  const stability = stabilityOf(slope);
  if (sigmaB === 0)
    return stability === "marginal"
      ? { fixed: [], everyFixed: true, diverges: false }
      : { fixed: [{ q: 0, slope, stability }], everyFixed: false, diverges: stability === "unstable" };
  return stability === "stable"
    ? { fixed: [{ q: sigmaB ** 2 / (1 - slope), slope, stability }], everyFixed: false, diverges: false }
    : { fixed: [], everyFixed: false, diverges: true };
}

function searchedFlow(activation: Activation, scale: Scale): VarianceFlow {
  const { sigmaB } = scale;
  const excess = (q: number): number => nextVariance(activation, scale, q) - q;
  const low = sigmaB > 0 ? sigmaB ** 2 / 2 : 1e-10;
  const grid = logarithmicGrid(low, farthest * Math.max(1, sigmaB ** 2), perDecade);
  const samples = grid.map((q) => ({ x: q, value: excess(q) }));
  const inside = roots(excess, samples, (q) => rounding * q).map((q): FixedVariance => {
    const slope = varianceSlope(activation, scale, q);
    return { q, slope, stability: stabilityOf(slope) };
  });
  const zero = fixedAtZero(activation, scale, samples);
  return {
    fixed: zero === null ? inside : [zero, ...inside],
    everyFixed: false,
    diverges: samples.at(-1)!.value > 0,
  };
}

/** q = 0, fixed without a bias where φ(0) = 0. With V'(0) = 1 what follows on V's slope decides. */
function fixedAtZero(activation: Activation, scale: Scale, excess: readonly Sample[]): FixedVariance | null {
  if (scale.sigmaB > 0 || activation.value(0) !== 0) return null;
  const slope = scale.sigmaW ** 2 * slopeAtZero(activation);
  const stability = stabilityOf(slope);
  if (stability !== "marginal") return { q: 0, slope, stability };
  const first = excess.find(({ x, value }) => Math.abs(value) > rounding * x);
  return { q: 0, slope, stability: first !== undefined && first.value > 0 ? "unstable" : "marginal" };
}

/** σ_w in (0, 1000], σ_b 0 or in [1e-6, 100]. @throws PruneScopeError `bad-request`. */
export function checkScale({ sigmaW, sigmaB }: Scale): void {
  if (!(sigmaW > 0 && sigmaW <= 1000))
    throw new PruneScopeError("bad-request", `σ_w must be above 0 and at most 1000; it is ${sigmaW}.`);
  checkSigmaB(sigmaB);
}

/** @throws PruneScopeError `bad-request`. */
export function checkSigmaB(sigmaB: number): void {
  if (sigmaB === 0 || (sigmaB >= 1e-6 && sigmaB <= 100)) return;
  throw new PruneScopeError("bad-request", `σ_b must be 0, or at least 0.000001 and at most 100; it is ${sigmaB}.`);
}
