/** How a layer of a real graph is to be drawn: on the edge of chaos of the activation that follows it. */
import { isQuantised } from "../../graph/prunable.js";
import type { Activation } from "../activations/activation.js";
import { edgeCurve, type EdgeCurve, type EdgePoint } from "../edge-curve.js";
import { type EdgeOfChaos, edgeOfChaos } from "../edge-of-chaos.js";
import type { LayerSite } from "./index.js";

export interface Drawing {
  readonly sigmaW: number;
  readonly sigmaB: number;
  /** Standard deviation of the weights: σ_w/√fan_in, of a recurrent layer's two paths half the variance each. */
  readonly deviation: number;
  readonly status: EdgeOfChaos["status"];
  /** The variance that it keeps; null where it keeps any. */
  readonly q: number | null;
  /** Another σ_b than was asked for, because the activation has no edge there that holds. */
  readonly moved: boolean;
}

/** Curves by the activation's name, which holds its parameters: they take a tenth of a second each. */
const curves = new Map<string, EdgeCurve>();
/** Most curves that are kept. */
const mostCurves = 64;

function curveOf(activation: Activation): EdgeCurve {
  const known = curves.get(activation.name);
  if (known !== undefined) return known;
  if (curves.size >= mostCurves) curves.clear();
  const curve = edgeCurve(activation);
  curves.set(activation.name, curve);
  return curve;
}

/** The edges of chaos of activations at one σ_b. */
export class Edges {
  readonly #known = new Map<string, { readonly curve: EdgeCurve; readonly edge: EdgeOfChaos }>();

  constructor(readonly sigmaB: number) {}

  of(activation: Activation): { readonly curve: EdgeCurve; readonly edge: EdgeOfChaos } {
    let known = this.#known.get(activation.name);
    if (known === undefined) {
      const curve = curveOf(activation);
      known = { curve, edge: edgeOfChaos(activation, this.sigmaB, curve) };
      this.#known.set(activation.name, known);
    }
    return known;
  }

  /** The point to draw with: the one at σ_b where it holds, else the nearest that does; null where there is none. */
  pointOf(activation: Activation): EdgePoint | null {
    const { point, status, nearest } = this.of(activation).edge;
    return status === "stable" || status === "marginal" ? point : nearest;
  }
}

/**
 * What to draw a layer with. The last layer, layers that no activation follows, and gates, which open half at 0, get σ_w = 1
 * without biases.
 * @returns null where nothing can be said, for the reason of {@link undrawn}.
 */
export function drawingOf(site: LayerSite, edges: Edges): Drawing | null {
  const { activation, fanIn, form } = site;
  if (fanIn === null || undrawn(site, edges) !== null) return null;
  const paths = form?.form === "recurrent" ? 2 : 1;
  const deviation = (sigmaW: number): number => sigmaW / Math.sqrt(paths * fanIn);
  const point = activation === null || isGate(site) ? null : edges.pointOf(activation);
  if (point === null)
    return { sigmaW: 1, sigmaB: 0, deviation: deviation(1), status: "marginal", q: null, moved: false };
  const { sigmaW, sigmaB, q, status } = point;
  return { sigmaW, sigmaB, deviation: deviation(sigmaW), status, q, moved: sigmaB !== edges.sigmaB };
}

/** Why a layer gets no suggestion, as a clause without a subject; null where it gets one. */
export function undrawn(site: LayerSite, edges: Edges): string | null {
  const { activation, fanIn, limits, weight } = site;
  if (isQuantised(weight)) return "its elements are codes of a quantisation";
  if (fanIn === null) return "its fan-in is not known";
  if (limits.some(({ kind }) => kind === "unknown-activation")) return "what follows it is not known";
  if (limits.some(({ kind }) => kind === "scaled")) return "constants scale the signal around its activation";
  if (activation !== null && !isGate(site) && edges.pointOf(activation) === null)
    return `${activation.name} has no edge of chaos that holds`;
  return null;
}

/** A bounded activation without negative values, whose output another signal is multiplied by. */
const isGate = ({ activation, limits }: LayerSite): boolean =>
  activation !== null &&
  limits.some(({ kind }) => kind === "gated") &&
  activation.tails.right === 0 &&
  activation.value(-1) >= 0 &&
  activation.value(0) > 0;
