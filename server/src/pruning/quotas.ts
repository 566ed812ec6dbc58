/**
 * Quotas: how many weights each layer keeps, by a rule that looks at layers instead of at scores. Every rule is a family
 * of densities d_l(t) that grow with one number t, and t is chosen so that the total is met:
 *
 *  uniform      t
 *  erk          min(1, t·Σ axes/Π axes), (n_in + n_out + kh + kw)/(n_in·n_out·kh·kw) of a convolution (Evci et al. 2020,
 *               arXiv 1911.11134); what a capped layer does not take goes to the others
 *  igq          t/(N_l + t) = 1/(F·N_l + 1) with F = 1/t (Vysogorets, Kempe 2021, arXiv 2107.02306)
 *  smart-ratio  min(1, t·((L − l + 1)² + (L − l + 1))), l from 1 in depth order, and 0.3 for the classifier (Su et al. 2020,
 *               arXiv 2009.11094)
 *
 * Counts are whole: the j-th weight of a layer is due when its density reaches (j − ½)/N_l, and the first k that are due
 * are kept. So each count is N_l·d_l(t) rounded, the counts sum to exactly k, and none falls when k grows (with largest
 * remainders some would): masks nest, and a layer is gone below one k and there from it on.
 */
import type { Quota } from "../../protocol/recipe.js";

/** A layer as quotas see it. */
export interface QuotaLayer {
  readonly size: number;
  /** Sum of the lengths of its axes, without those that count directions or stacked matrices. */
  readonly extent: number;
  /** A matrix, or a convolution of one tap: what can be a classifier when it comes last. */
  readonly pointwise: boolean;
}

/** Density of the classifier under `smart-ratio`. */
const classifierDensity = 0.3;

/** When a layer reaches a density, and which it has at a time: inverses of each other up to rounding. */
interface Family {
  readonly time: (l: number, density: number) => number;
  readonly density: (l: number, time: number) => number;
}

/**
 * Weights that each layer keeps of `keep` in all; exactly, unless the floors ask for more than that and win.
 * @param floors fewest weights of each layer.
 */
export function quotaCounts(
  layers: readonly QuotaLayer[],
  keep: number,
  quota: Quota,
  floors: readonly number[],
): number[] {
  const due = new DueWeights(layers, quota, floors);
  const t = leastTime(latest(layers, due.family), (time) => due.upTo(time) >= keep);
  const counts = layers.map((_, l) => due.before(l, t));
  let left = keep - counts.reduce((a, b) => a + b, 0);
  for (const [l] of layers.entries()) {
    const tied = Math.max(0, Math.min(left, due.until(l, t) - counts[l]!));
    counts[l]! += tied;
    left -= tied;
  }
  return counts;
}

/**
 * The most weights in all with which a layer still keeps none, for each layer; null for one with a floor, which always
 * keeps some. A layer is gone when that many are kept, and there when one more is.
 */
export function quotaLastCounts(
  layers: readonly QuotaLayer[],
  quota: Quota,
  floors: readonly number[],
): (number | null)[] {
  const due = new DueWeights(layers, quota, floors);
  return layers.map((_, l) => {
    if (floors[l]! > 0) return null;
    const first = due.time(l, 1);
    // Ties go to the layers in their order.
    return layers.reduce(
      (sum, _layer, other) => sum + (other < l ? due.until(other, first) : due.before(other, first)),
      0,
    );
  });
}

/** The times at which weights are due; those of a floor are due from the start. */
class DueWeights {
  readonly family: Family;

  constructor(
    readonly layers: readonly QuotaLayer[],
    quota: Quota,
    readonly floors: readonly number[],
  ) {
    this.family = familyOf(layers, quota);
  }

  /** When the `j`-th weight of layer `l` is due, j from 1. */
  time(l: number, j: number): number {
    return j <= this.floors[l]! ? 0 : this.family.time(l, (j - 0.5) / this.layers[l]!.size);
  }

  /** Weights of layer `l` that are due at `t` or before. */
  until(l: number, t: number): number {
    return this.#count(l, t, (due) => due <= t);
  }

  /** Weights of layer `l` that are due before `t`; those of a floor always are. */
  before(l: number, t: number): number {
    return this.#count(l, t, (due) => due < t);
  }

  /** Weights of all layers that are due at `t` or before. */
  upTo(t: number): number {
    return this.layers.reduce((sum, _, l) => sum + this.until(l, t), 0);
  }

  /** Times grow with j: the density says about where the last one is, and the times themselves where exactly. */
  #count(l: number, t: number, is: (due: number) => boolean): number {
    const { size } = this.layers[l]!;
    const floor = this.floors[l]!;
    let count = Math.min(size, Math.max(floor, Math.round(size * this.family.density(l, t))));
    while (count < size && is(this.time(l, count + 1))) count++;
    while (count > floor && !is(this.time(l, count))) count--;
    return count;
  }
}

function familyOf(layers: readonly QuotaLayer[], quota: Quota): Family {
  switch (quota) {
    case "uniform":
      return { time: (_l, density) => density, density: (_l, t) => Math.min(1, t) };
    case "erk":
      return proportional(layers.map(({ size, extent }) => extent / size));
    case "igq":
      return {
        // A last weight at density 1 − ½/N is due at 2N² − N: finite, however large the layer.
        time: (l, density) => (density * layers[l]!.size) / (1 - density),
        density: (l, t) => t / (layers[l]!.size + t),
      };
    case "smart-ratio":
      return smartRatio(layers);
  }
}

/** d_l = min(1, t·ratio_l). */
function proportional(ratios: readonly number[]): Family {
  return {
    time: (l, density) => density / ratios[l]!,
    density: (l, t) => Math.min(1, t * ratios[l]!),
  };
}

/**
 * Where the total leaves less than 0.3 of the classifier it takes all (t < 1), and where it leaves more than all of the
 * others the classifier takes the rest.
 */
function smartRatio(layers: readonly QuotaLayer[]): Family {
  const depth = layers.length;
  const ratios = layers.map((_, l) => (depth - l) ** 2 + (depth - l));
  const classifier = depth > 1 && layers[depth - 1]!.pointwise ? depth - 1 : -1;
  if (classifier < 0) return proportional(ratios);
  const others = proportional(ratios);
  const full = 1 + 1 / ratios[depth - 2]!;
  const rest = 1 - classifierDensity;
  return {
    time: (l, density) => {
      if (l !== classifier) return 1 + others.time(l, density);
      return density <= classifierDensity ? density / classifierDensity : full + (density - classifierDensity) / rest;
    },
    density: (l, t) => {
      if (l !== classifier) return others.density(l, Math.max(0, t - 1));
      return classifierDensity * Math.min(1, t) + rest * Math.min(1, Math.max(0, t - full));
    },
  };
}

/** When the last weight of all is due, or a little later. */
function latest(layers: readonly QuotaLayer[], family: Family): number {
  return layers.reduce((last, { size }, l) => Math.max(last, family.time(l, 1 - 0.25 / size)), 0);
}

/** The least float in [0, high] at which `reached` holds, by bisection; `high` when it holds nowhere before. */
function leastTime(high: number, reached: (t: number) => boolean): number {
  if (reached(0)) return 0;
  let low = 0;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    if (reached(middle)) high = middle;
    else low = middle;
  }
}
