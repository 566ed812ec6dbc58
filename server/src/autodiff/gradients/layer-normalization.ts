/** LayerNormalization: y = standardised x · scale + bias over the axes from `axis` on. */
import { unbroadcast } from "../cotangents.js";
import type { GradientRule, Site } from "../rule.js";
import { type Standardised, standardised, standardisedPullback } from "../standardise.js";

const axesOf = (site: Site): number[] => {
  const { length: rank } = site.inputShape(0);
  const first = site.axis(site.int("axis", -1), rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
};

/**
 * By the statistics that the node computes anyway; once more by ordinary operators when the gradient is differentiated
 * again, because no rule knows how those statistics depend on x, or when they are of another type than x.
 */
function standardisedInput(site: Site): Standardised {
  const { b } = site;
  if (site.twice || site.dtype(site.input(0)) !== "float" || site.int("stash_type", 1) !== 1)
    return standardised(b, site.input(0), axesOf(site), site.float("epsilon", 1e-5));
  const inverse = site.output(2);
  return { hat: b.mul(b.sub(site.input(0), site.output(1)), inverse), inverse };
}

export const layerNormalization: GradientRule = {
  op: "LayerNormalization",
  pullback: (site) => {
    const { b } = site;
    const shape = site.inputShape(0);
    return [
      () => standardisedPullback(b, b.mul(site.dy, site.input(1)), standardisedInput(site), axesOf(site)),
      () => unbroadcast(b, b.mul(site.dy, standardisedInput(site).hat), shape, site.inputShape(1)),
      () => unbroadcast(b, site.dy, shape, site.inputShape(2)),
    ];
  },
};
