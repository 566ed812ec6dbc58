/**
 * Conditioning of a network for a global threshold (Hayou et al. 2021, section 2): m^l, the mean square of the
 * sensitivities w·∂L/∂w of each layer, n_l·m^l, and their exponential rate over depth. Well-conditioned means that m^l is
 * bounded over all depths; one model can be consistent with that, and cannot prove it.
 */
import type { Conditioning, ConditioningLayer, ConditioningRate } from "../../protocol/insights.js";
import { studentQuantile } from "./student-t.js";

/** Confidence of a rate's interval. */
const confidence = 0.95;
/** A change of m^l from end to end below it is called slight: the scores themselves differ by its root. */
const slight = 10;
/** Layers whose m differ by more are not kept within bounds, trend or not. */
const wide = 1000;
/** Layers whose sizes differ by more are of unequal size. */
const unequal = 2;

/**
 * @param layers in depth order; those without a signal (m = 0) are shown and not fitted. Overflowing m must be left out.
 * @param homogeneous every activation is positively homogeneous and there are no biases, so that Σ w·∂L/∂w is the same
 * in every layer.
 */
export function conditioningOf(layers: readonly ConditioningLayer[], homogeneous: boolean): Conditioning {
  const means = layers.map(({ m }) => m);
  const totals = layers.map(({ total }) => total);
  const found = {
    layers,
    rate: exponentialRate(means),
    totalRate: exponentialRate(totals),
    ratio: ratioOf(means),
    totalRatio: ratioOf(totals),
  };
  return { ...found, verdict: [...verdictOf(found, homogeneous)].join(" ") };
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

function* verdictOf(
  { layers, rate, totalRate, ratio }: Omit<Conditioning, "verdict">,
  homogeneous: boolean,
): Iterable<string> {
  const signals = layers.flatMap(({ m }, depth) => (m > 0 ? [depth] : []));
  if (signals.length < layers.length)
    yield `${layers.length - signals.length} of ${layers.length} layers have no signal: every w·∂L/∂w in them is 0.`;
  if (rate === null || totalRate === null) {
    yield "Fewer than three layers have a signal: nothing can be said of a trend over depth.";
    return;
  }
  const span = signals.at(-1)! - signals[0]!;
  const interval = ({ rate: slope, low, high }: ConditioningRate): string => {
    // Of what grows, so that the factor is above 1.
    const [from, to] = slope < 0 ? [-high, -low] : [low, high];
    return `by a factor of ${factorOf(Math.abs(slope))} a layer (95 %: ${factorOf(from)} to ${factorOf(to)})`;
  };
  const trendless = ({ low, high }: ConditioningRate): boolean => low <= 0 && high >= 0;
  const goal = ({ rate: slope }: ConditioningRate): string => (slope > 0 ? "output" : "input");
  const change = span * Math.abs(rate.rate);
  if (trendless(rate) && (ratio ?? Infinity) > wide) {
    yield `m shows no exponential trend over depth, and yet differs widely from layer to layer: a global threshold empties layers of the smallest m first, wherever they lie. It changes ${interval(rate)}.`;
  } else if (trendless(rate)) {
    yield `Consistent with well-conditioned, which one model cannot prove: m shows no exponential trend over depth. It changes ${interval(rate)}.`;
  } else if (change < Math.log(slight)) {
    yield `Consistent with well-conditioned over this depth, which one model cannot prove: m grows towards the ${goal(rate)} ${interval(rate)}, ${factorOf(change)} times from end to end. Many more layers like these would not be.`;
  } else {
    const emptied = goal(rate) === "output" ? "input" : "output";
    yield `Not well-conditioned over this depth: m grows towards the ${goal(rate)} ${interval(rate)}, ${factorOf(change)} times from end to end. A global threshold empties layers near the ${emptied} first.`;
  }
  if (ratio !== null) yield `The largest m is ${factorOf(Math.log(ratio))} times the smallest.`;
  const sizes = layers.map(({ weights }) => weights);
  const differ = Math.max(...sizes) > unequal * Math.min(...sizes);
  if (differ)
    yield trendless(totalRate)
      ? "Layers differ in size: n·m, which allows for that, shows no trend."
      : `Layers differ in size: n·m, which allows for that, grows towards the ${goal(totalRate)} ${interval(totalRate)}.`;
  if (homogeneous) {
    const flat = trendless(differ ? totalRate : rate);
    yield `Activations are positively homogeneous and these layers have no biases, so that Σ w·∂L/∂w is the same in every layer: σ_w alone makes no trend${flat ? "" : ", and is not what makes this one"}.`;
  }
}

/** e^log in words, also beyond what a number holds. */
function factorOf(log: number): string {
  const tens = log / Math.LN10;
  return Math.abs(tens) < 5 ? String(Number(Math.exp(log).toPrecision(3))) : `10^${tens.toFixed(0)}`;
}
