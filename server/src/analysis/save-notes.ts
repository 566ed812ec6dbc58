/** What is to be said of a saved file besides its figures. */
import type { PrunableWeight } from "../graph/prunable.js";
import { affineCodes, codeNearestToZero } from "../formats/coded-elements.js";
import type { Mask } from "../pruning/mask.js";

/**
 * Of layers that the mask takes something from: how many are quantised without a code for 0, so that what is pruned is
 * the number nearest to it, and how large that is at most.
 */
export function nearestZeroNotes(weights: readonly PrunableWeight[], mask: Mask): string[] {
  const largest = weights.flatMap(({ tensor, size }, l) => {
    const affine = affineCodes(tensor);
    if (affine === null || mask.layers[l]!.kept === size) return [];
    const { value } = codeNearestToZero(affine);
    return value === 0 ? [] : [Math.abs(value)];
  });
  if (largest.length === 0) return [];
  const layers = largest.length === 1 ? "1 layer is" : `${largest.length} layers are`;
  const most = largest.reduce((max, value) => Math.max(max, value), 0);
  return [
    `${layers} quantised without a code for 0: what is pruned there became the nearest number (at most ${most.toPrecision(2)} from 0) and is counted as zero.`,
  ];
}
