/** Normalisations: BatchNormalization is |γ| / √(var + ε), which is what it does to a deviation; of all others |γ| is left. */
import type { Value } from "../../../graph/builder.js";
import type { LinearRule, LinearSite, Signal } from "../rule.js";

function scaled(site: LinearSite, factor: Value): Signal {
  const from = site.exponents.held(site.signal(0));
  return { kind: "signal", ...site.exponents.grown(site.b.mul(from.value, factor), from), bounds: null };
}

/** One factor per channel, shaped so that it is broadcast along axis 1. */
const perChannel = (site: LinearSite, factor: Value): Value =>
  site.b.reshape(factor, [
    site.shape(0)[1] ?? 1,
    ...site
      .shape(0)
      .slice(2)
      .map(() => 1),
  ]);

const batchNormalization: LinearRule = {
  op: "BatchNormalization",
  images: (site) => {
    const { b } = site;
    const deviation = b.op("Sqrt", [b.add(site.magnitude(4), b.scalar(site.float("epsilon", 1e-5)))]);
    return [scaled(site, perChannel(site, b.div(site.magnitude(1), deviation)))];
  },
};

const byChannel = (op: string): LinearRule => ({
  op,
  images: (site) => [scaled(site, perChannel(site, site.magnitude(1)))],
});

const byElement = (op: string): LinearRule => ({
  op,
  images: (site) => [site.image(1) === null ? { ...site.signal(0), bounds: null } : scaled(site, site.magnitude(1))],
});

const without = (op: string): LinearRule => ({ op, images: (site) => [{ ...site.signal(0), bounds: null }] });

export const normalisations: readonly LinearRule[] = [
  batchNormalization,
  ...["GroupNormalization", "InstanceNormalization"].map(byChannel),
  ...["LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"].map(byElement),
  ...["LRN", "LpNormalization", "MeanVarianceNormalization"].map(without),
];
