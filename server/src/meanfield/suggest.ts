/** Standard deviations of weights and biases that put a layer on the edge of chaos. */
import type { EdgePoint } from "./edge-curve.js";
import { fanIns, type LayerForm } from "./fan-in.js";

export interface LayerSuggestion {
  readonly sigmaW: number;
  /** Standard deviation of the biases. */
  readonly sigmaB: number;
  /** Standard deviation of each weight tensor. */
  readonly weights: readonly { readonly weight: "W" | "R"; readonly fanIn: number; readonly deviation: number }[];
}

/**
 * @param point the edge point of the activation that follows the layer; null for the last layer and for layers that no
 * activation follows: σ_w = 1 without bias passes the variance on as it is. The two paths of a recurrent layer add up,
 * so each gets half of σ_w². Tied weights are outside the theory: measure what comes out.
 */
export function suggestDeviations(layer: LayerForm, point: EdgePoint | null): LayerSuggestion {
  const { sigmaW, sigmaB } = point ?? { sigmaW: 1, sigmaB: 0 };
  const paths = fanIns(layer);
  return {
    sigmaW,
    sigmaB,
    weights: paths.map((path) => ({ ...path, deviation: sigmaW / Math.sqrt(paths.length * path.fanIn) })),
  };
}

/**
 * Factor of an orthogonal matrix [outputs, fanIn] (orthonormal rows or columns, whichever are fewer) with which its
 * rows have mean square norm σ_w².
 */
export const orthogonalGain = (sigmaW: number, outputs: number, fanIn: number): number =>
  sigmaW * Math.sqrt(Math.max(1, outputs / fanIn));
