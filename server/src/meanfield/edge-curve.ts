/**
 * The edge of chaos as a curve over q: σ_w² = 1/E φ'², σ_b² = q − σ_w² E φ² (Hayou et al. 2019, Definition 2 and
 * Algorithm 1), with the parts that exist (σ_b² ≥ 0) and hold the variance (V'(q) < 1).
 */
import type { Activation } from "./activations/activation.js";
import { moments } from "./moments.js";
import { bisect, logarithmicGrid } from "./roots.js";
import { rounding, slopeAtInfinity, slopeAtZero, type Stability, stabilityOf, varianceFlow } from "./variance-map.js";

/** A pair (σ_w, σ_b) with χ = 1. */
export interface EdgePoint {
  readonly sigmaW: number;
  readonly sigmaB: number;
  /** The variance held; null where every variance is (homogeneous φ). */
  readonly q: number | null;
  readonly chi: number;
  /** V'(q). */
  readonly vPrime: number;
  readonly status: Stability;
}

/** A range of q over which the curve is of one kind. */
export interface EdgePart {
  /** `missing`: χ = 1 would need σ_b² < 0, or E φ'² is 0. Marginal points count as stable. */
  readonly kind: "stable" | "unstable" | "missing";
  readonly from: number;
  readonly to: number;
  /** Ascending in q; empty for a missing part. */
  readonly points: readonly EdgePoint[];
}

export interface EdgeCurve {
  /** The end at σ_b = 0, q → 0, or for a homogeneous φ the only point; null where there is none. */
  readonly origin: EdgePoint | null;
  /** Ascending in q, from 1e-8 to 1e6; empty for a homogeneous φ, and where φ jumps. */
  readonly parts: readonly EdgePart[];
}

/** The range of q that is looked at, and its points. */
const curveGrid: readonly number[] = logarithmicGrid(1e-8, 1e6, 16);

/** σ_b² that χ = 1 needs at q, negative where the point does not exist; null where E φ'² is 0. */
export function neededSigmaB2(activation: Activation, q: number): number | null {
  const { square, slope } = moments(activation, q);
  return slope > 0 ? q - square / slope : null;
}

/** The edge point at q; null where there is none. */
export function edgePointAt(activation: Activation, q: number): EdgePoint | null {
  const { square, slope, growth } = moments(activation, q);
  const sigmaB2 = q - square / slope;
  // Not true of NaN either.
  if (!(slope > 0 && sigmaB2 >= -rounding * q)) return null;
  const sigmaW = Math.sqrt(1 / slope);
  const vPrime = growth / slope;
  return {
    sigmaW,
    sigmaB: Math.sqrt(Math.max(0, sigmaB2)),
    q,
    chi: sigmaW ** 2 * slope,
    vPrime,
    status: stabilityOf(vPrime),
  };
}

export function edgeCurve(activation: Activation): EdgeCurve {
  if (activation.jumps) return { origin: null, parts: [] };
  const origin = originOf(activation);
  return { origin, parts: activation.homogeneous ? [] : partsOf(activation) };
}

/** The edge point without a bias at q → 0, where φ(0) = 0 and φ is not flat there. */
function originOf(activation: Activation): EdgePoint | null {
  const { homogeneous } = activation;
  const slope = homogeneous ? slopeAtInfinity(activation) : slopeAtZero(activation);
  if (activation.value(0) !== 0 || slope === 0) return null;
  const sigmaW = Math.sqrt(1 / slope);
  const chi = sigmaW ** 2 * slope;
  const point = { sigmaW, sigmaB: 0, chi, vPrime: chi };
  if (homogeneous) return { ...point, q: null, status: "marginal" };
  const zero = varianceFlow(activation, point).fixed.find(({ q }) => q === 0);
  return zero === undefined ? null : { ...point, q: 0, status: zero.stability };
}

const kindOf = (point: EdgePoint | null): EdgePart["kind"] =>
  point === null ? "missing" : point.status === "unstable" ? "unstable" : "stable";

function partsOf(activation: Activation): EdgePart[] {
  const parts: { kind: EdgePart["kind"]; from: number; to: number; points: EdgePoint[] }[] = [];
  const add = (q: number, point: EdgePoint | null): void => {
    const kind = kindOf(point);
    if (parts.at(-1)?.kind !== kind) parts.push({ kind, from: q, to: q, points: [] });
    const part = parts.at(-1)!;
    part.to = q;
    if (point !== null) part.points.push(point);
  };
  for (const q of curveGrid) {
    const point = edgePointAt(activation, q);
    const last = parts.at(-1);
    if (last !== undefined && last.kind !== kindOf(point)) {
      const border = bisect((at) => kindOf(edgePointAt(activation, at)) !== last.kind, last.to, q);
      for (const at of [border.below, border.above]) add(at, edgePointAt(activation, at));
    }
    add(q, point);
  }
  return parts;
}
