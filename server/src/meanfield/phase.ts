/** The phase of a layer with given σ_w, σ_b: ordered (χ < 1), edge of chaos (χ = 1) or chaotic (χ > 1). */
import type { Activation } from "./activations/activation.js";
import { chi as chiOf, depthScale } from "./chi.js";
import { reachedFrom, type Scale, slopeAtInfinity, slopeAtZero, varianceFlow } from "./variance-map.js";

export interface Phase {
  readonly phase: "ordered" | "edge" | "chaotic";
  /** The variance that is reached; null when it grows without bound. */
  readonly q: number | null;
  /** At q, or its limit where the variance grows without bound. */
  readonly chi: number;
  /** V'(q); null when the variance grows without bound. */
  readonly vPrime: number | null;
  /** Layers over which the squared gradient changes by a factor of e; null when unbounded. */
  readonly gradientDepth: number | null;
  /** Layers over which the variance comes nearer to q by a factor of e; null when unbounded or never. */
  readonly varianceDepth: number | null;
  /** In a sentence. */
  readonly explanation: string;
}

/** |χ − 1| that still counts as the edge: gradients change by a factor of e over 10,000 layers. */
export const edgeTolerance = 1e-4;

/**
 * @param start variance of the first pre-activations, which decides where there are several fixed points.
 * @throws PruneScopeError `bad-request` for a scale out of range.
 */
export function phaseOf(activation: Activation, scale: Scale, start = 1): Phase {
  const flow = varianceFlow(activation, scale);
  const reached = reachedFrom(activation, scale, flow, start);
  const q = reached?.q ?? null;
  const gain = scale.sigmaW ** 2;
  const chi =
    q === null
      ? gain * slopeAtInfinity(activation)
      : q === 0
        ? gain * slopeAtZero(activation)
        : chiOf(activation, scale, q);
  const vPrime = reached?.slope ?? null;
  const phase = activation.jumps || chi > 1 + edgeTolerance ? "chaotic" : chi < 1 - edgeTolerance ? "ordered" : "edge";
  return {
    phase,
    q,
    chi,
    vPrime,
    gradientDepth: depthScale(chi),
    varianceDepth: vPrime === null ? null : depthScale(vPrime),
    explanation: [variance(q, flow.everyFixed), gradients(activation, phase)].join(" "),
  };
}

const variance = (q: number | null, everyFixed: boolean): string =>
  everyFixed
    ? "Every variance is kept."
    : q === null
      ? "The variance grows without bound."
      : q === 0
        ? "The variance falls to 0."
        : `The variance settles at ${Number(q.toPrecision(6))}.`;

function gradients(activation: Activation, phase: Phase["phase"]): string {
  if (activation.jumps) return "φ jumps, so that inputs part however close they are.";
  if (phase === "ordered") return "Gradients shrink from layer to layer, and inputs become alike.";
  if (phase === "edge") return "Gradients keep their size over depth.";
  return "Gradients grow from layer to layer.";
}
