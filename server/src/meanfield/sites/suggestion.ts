/** How a layer of a real graph is to be drawn: on the edge of chaos of the activation that follows it. */
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

/** The edges of chaos of activations at one σ_b; each curve is computed once. */
export class Edges {
  readonly #known = new Map<string, { readonly curve: EdgeCurve; readonly edge: EdgeOfChaos }>();

  constructor(readonly sigmaB: number) {}

  of(activation: Activation): { readonly curve: EdgeCurve; readonly edge: EdgeOfChaos } {
    let known = this.#known.get(activation.name);
    if (known === undefined) {
      const curve = edgeCurve(activation);
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
 * What to draw a layer with. The last layer, and layers that no activation follows, get σ_w = 1 without biases.
 * @returns null where nothing can be said: no fan-in, quantised weights, or an activation without an edge of chaos.
 */
export function drawingOf({ activation, fanIn, form, weight }: LayerSite, edges: Edges): Drawing | null {
  if (fanIn === null || weight.dequantisation !== null) return null;
  const paths = form?.form === "recurrent" ? 2 : 1;
  const deviation = (sigmaW: number): number => sigmaW / Math.sqrt(paths * fanIn);
  if (activation === null)
    return { sigmaW: 1, sigmaB: 0, deviation: deviation(1), status: "marginal", q: null, moved: false };
  const point = edges.pointOf(activation);
  if (point === null) return null;
  const { sigmaW, sigmaB, q, status } = point;
  return { sigmaW, sigmaB, deviation: deviation(sigmaW), status, q, moved: sigmaB !== edges.sigmaB };
}
