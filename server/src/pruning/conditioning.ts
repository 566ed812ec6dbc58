/**
 * Conditioning of a network for a global threshold (Hayou et al. 2021, section 2): m^l, the mean square of the
 * sensitivities w·∂L/∂w of each layer, n_l·m^l, and their exponential rate over depth. Well-conditioned means that m^l is
 * bounded over all depths; one model can be consistent with that, and cannot prove it.
 */
import type { Conditioning, ConditioningLayer, ConditioningRate } from "../../protocol/insights.js";
import { studentQuantile } from "./student-t.js";

/** Confidence of a rate's interval. */
const confidence = 0.95;
/** Rates nearer to 0 than this change m^l by less than 5 % a layer. */
const flat = 0.05;

/** @param layers in depth order; those without a signal (m = 0) are shown and not fitted. @param homogeneous every activation is positively homogeneous and there are no biases. */
export function conditioningOf(layers: readonly ConditioningLayer[], homogeneous: boolean): Conditioning {
  const means = layers.map(({ m }) => m);
  const totals = layers.map(({ total }) => total);
  const rate = exponentialRate(means);
  return {
    layers,
    rate,
    totalRate: exponentialRate(totals),
    ratio: ratioOf(means),
    totalRatio: ratioOf(totals),
    verdict: verdictOf(rate, ratioOf(means), homogeneous),
  };
}

/** Least squares of ln value over the index of the layer, with the interval of its slope; null for fewer than three layers with a signal. */
export function exponentialRate(values: readonly number[]): ConditioningRate | null {
  const points = values.flatMap((value, depth) =>
    value > 0 && Number.isFinite(value) ? [[depth, Math.log(value)] as const] : [],
  );
  const n = points.length;
  if (n < 3) return null;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const rate = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - rate * (x - meanX)) ** 2, 0);
  const error = studentQuantile((1 + confidence) / 2, n - 2) * Math.sqrt(rest / (n - 2) / spread);
  return { rate, low: rate - error, high: rate + error, layers: n };
}

function ratioOf(values: readonly number[]): number | null {
  const signals = values.filter((value) => value > 0 && Number.isFinite(value));
  if (signals.length < 2) return null;
  const ratio = signals.reduce((a, b) => Math.max(a, b)) / signals.reduce((a, b) => Math.min(a, b));
  return Number.isFinite(ratio) ? ratio : null;
}

function verdictOf(rate: ConditioningRate | null, ratio: number | null, homogeneous: boolean): string {
  if (rate === null) return "Fewer than three layers have a signal: nothing can be said of a trend over depth.";
  const why = homogeneous
    ? " Activations are positively homogeneous and there are no biases, so that Σ w·∂L/∂w is the same in every layer: σ_w alone makes no trend."
    : "";
  const factor = (value: number): string => String(Number(Math.exp(value).toPrecision(3)));
  // Of what grows, so that the factor is above 1.
  const [low, high] = rate.rate < 0 ? [-rate.high, -rate.low] : [rate.low, rate.high];
  const interval = `(95 %: ${factor(low)} to ${factor(high)})`;
  const none = rate.low <= 0 && rate.high >= 0;
  const spread = ratio === null ? "" : ` The largest m is ${Number(ratio.toPrecision(3))} times the smallest.`;
  if (none || Math.abs(rate.rate) < flat)
    return `Consistent with well-conditioned: m shows no exponential trend over depth, it changes by a factor of ${factor(Math.abs(rate.rate))} a layer ${interval}.${spread}${why}`;
  const [grows, first] = rate.rate > 0 ? ["output", "input"] : ["input", "output"];
  return `Ill-conditioned over this depth: m grows towards the ${grows} by a factor of ${factor(Math.abs(rate.rate))} a layer ${interval}, so that a global threshold empties layers near the ${first} first.${spread}${why}`;
}
