/** What each test says of whether a layer was freshly drawn or trained, with its figures in words. */
import type { Origin, OriginVote } from "../../../protocol/insights.js";
import { type DrawnForm, drawnForms, type Fans, knownSchemes, tailProbability } from "./distributions.js";
import { ksDistance, ksProbability } from "./kolmogorov-smirnov.js";
import { type Matrix, spectrumOf } from "./spectrum.js";
import { maskedProbability, withoutSmallest } from "./under-mask.js";
import type { WeightStatistics } from "./weight-statistics.js";

/** From this probability on a form is believed, and below that all forms are given up. */
const limits = { believed: 1e-3, given: 1e-5 } as const;
/** Fewer elements tell no form from another. */
const leastSample = 128;
/** Fewer biases are not compared with a known form, or with a fitted one. */
const leastBiases = { known: 8, fitted: 128 } as const;
/** Standard errors by which standard deviations of biases of one network differ at most. */
const sameDeviation = 5;
/** Codes of 8 bits have steps of up to a thirtieth of a deviation, which a larger sample would see. */
const coarseSample = 2048;
/** From this share on zeros are a mask's. */
const maskedShare = 0.01;
/** Tracy-Widom scales: up to the first, independent elements are met with 99.9 %; above the second, never. */
const excessLimits = { fresh: 4, trained: 8 } as const;
/** Cosines and lengths of rows made orthogonal and rounded to bfloat16; eight independent rows never come so near. */
const orthogonalLimits = { cosine: 2e-3, norms: 1.005 } as const;

/** Whether so many elements are 0 that a mask must have made them. */
export const isMasked = ({ zeros, size }: WeightStatistics): boolean => zeros > maskedShare * size;

interface Fit {
  readonly form: DrawnForm;
  readonly deviation: number;
  readonly probability: number;
}

/**
 * A vote on the distribution; null where there are too few elements.
 * @param fans null where they are not known.
 * @param coarse the elements are codes of a quantisation.
 */
export function distributionVote(found: WeightStatistics, fans: Fans | null, coarse: boolean): OriginVote | null {
  const sample = sampleOf(found, coarse);
  if (sample.length < leastSample) return null;
  const masked = isMasked(found);
  const whole = bestOf(drawnForms.map((form) => fit(form, sample, found, deviationOf(found))));
  const cut =
    masked && whole.probability < limits.believed
      ? bestOf(drawnForms.map((form) => cutFit(form, sample, found)))
      : null;
  const best = cut !== null && cut.probability > whole.probability ? cut : whole;
  const { form, deviation, probability } = best;
  const zeros = percent(found.zeros / found.size);
  const left =
    best === cut
      ? ` but for the ${zeros} of least magnitude, which are 0,`
      : masked
        ? ` that are not 0 (${zeros} are, and are left out)`
        : "";
  const verdict: Origin =
    probability >= limits.believed
      ? "fresh"
      : probability >= limits.given || canBeMasked(sample, found)
        ? "unclear"
        : "trained";
  const said = {
    fresh: "look drawn",
    unclear: masked ? "fit no form, but a mask by a criterion can leave such of one" : "fit no form well",
    trained: `have no form that is drawn${masked ? ", nor what a mask leaves of one" : ""}`,
  }[verdict];
  const scheme = verdict === "fresh" && fans !== null ? schemeOf(best, fans, found) : null;
  return {
    test: "distribution",
    verdict,
    words: `Its weights${left} ${said}: the best fit is ${form.name} with standard deviation ${short(deviation)} (Kolmogorov-Smirnov and largest weight, p = ${short(probability)})${scheme === null ? "" : `, which is ${scheme}`}.`,
  };
}

/** Whether a mask that keeps large weights can have left this of something drawn. */
const canBeMasked = (sorted: Float64Array, found: WeightStatistics): boolean =>
  isMasked(found) &&
  drawnForms.some((form) => maskedProbability(form, sorted, drawnCount(found) / found.size) >= limits.given);

/** In ascending order. */
function sampleOf({ sample }: WeightStatistics, coarse: boolean): Float64Array {
  const step = coarse ? Math.ceil(sample.length / coarseSample) : 1;
  return (step === 1 ? Float64Array.from(sample) : sample.filter((_, i) => i % step === 0)).sort();
}

const drawnCount = ({ size, zeros, nonFinite }: WeightStatistics): number => size - zeros - nonFinite;

/** √mean w² of the elements that are not 0. */
const deviationOf = (found: WeightStatistics): number =>
  Math.sqrt((found.meanSquare * (found.size - found.nonFinite)) / Math.max(1, drawnCount(found)));

const bestOf = (fits: readonly Fit[]): Fit => fits.reduce((a, b) => (b.probability > a.probability ? b : a));

function fit(form: DrawnForm, sorted: Float64Array, found: WeightStatistics, deviation: number): Fit {
  const distance = ksDistance(sorted, (x) => form.cumulative(x, deviation));
  const tail = tailProbability(form, sorted, { largest: found.largest, deviation, n: drawnCount(found) });
  return { form, deviation, probability: Math.min(tail, ksProbability(distance, sorted.length)) };
}

/** With what is 0 taken for the smallest that magnitude pruning removed. */
function cutFit(form: DrawnForm, sorted: Float64Array, found: WeightStatistics): Fit {
  const least = sorted.reduce((smallest, x) => Math.min(smallest, Math.abs(x)), Infinity);
  const { deviation, cumulative } = withoutSmallest(form, found.zeros / found.size, least);
  return { form, deviation, probability: ksProbability(ksDistance(sorted, cumulative), sorted.length) };
}

/** The known scheme with this form and standard deviation, which n draws give to four standard errors. */
function schemeOf({ form, deviation }: Fit, fans: Fans, found: WeightStatistics): string | null {
  const error = (4 * form.error) / Math.sqrt(drawnCount(found)) + 1e-3;
  const near = knownSchemes(fans).filter(
    (one) => one.form === form.name && Math.abs(one.deviation / deviation - 1) < error,
  );
  return near.length === 0 ? null : [...new Set(near.map(({ name }) => name))].join(" or ");
}

/**
 * A vote on the spectrum; null where the matrix is too small.
 * @param masked its zeros are a mask's. @param exact its vectors have their full length, and their elements no coarse rounding.
 */
export function spectrumVote(matrix: Matrix | null, masked: boolean, exact: boolean): OriginVote | null {
  const spectrum = matrix === null ? null : spectrumOf(matrix, masked);
  if (spectrum === null) return null;
  const { top, excess, cosine, norms } = spectrum;
  if (cosine < orthogonalLimits.cosine && norms < orthogonalLimits.norms)
    return {
      test: "spectrum",
      verdict: "fresh",
      words: `Its singular values are all equal (rows or columns have cosines up to ${short(cosine)}), as an orthogonal initialisation makes them.`,
    };
  if (exact && !masked && excess < -excessLimits.trained)
    return {
      test: "spectrum",
      verdict: "trained",
      words: `Its singular values are more equal than those of independent weights (the largest squared one is ${short(top)} times theirs), and not as equal as an orthogonal initialisation makes them (cosines up to ${short(cosine)}).`,
    };
  const verdict = excess <= excessLimits.fresh ? "fresh" : excess > excessLimits.trained ? "trained" : "unclear";
  const against = masked ? "the same weights with random signs" : "independent weights (Marchenko-Pastur)";
  return {
    test: "spectrum",
    verdict,
    words: `Its largest squared singular value is ${short(top)} times that of ${against}, ${short(Math.abs(excess))} Tracy-Widom scales ${excess < 0 ? "below" : "above"} it.`,
  };
}

export interface BiasVote {
  readonly vote: OriginVote;
  /** It rests on a standard deviation that was fitted. */
  readonly fitted: boolean;
}

/** A vote on the biases; null where they are too few to tell. @param fans of the weight; null where they are not known. */
export function biasVote(bias: WeightStatistics, fans: Fans | null): BiasVote | null {
  const vote = (verdict: Origin, words: string, fitted = false): BiasVote => ({
    vote: { test: "biases", verdict, words },
    fitted,
  });
  const { size, zeros, largest, meanSquare, nonFinite, sample } = bias;
  if (nonFinite > 0) return null;
  if (zeros === size) return vote("fresh", "Its biases are 0.");
  if (size > 1 && largest ** 2 * (size - zeros) <= size * meanSquare * (1 + 1e-6))
    return vote("fresh", `Its biases are all ${zeros > 0 ? "0 or " : ""}±${short(largest)}.`);
  const sorted = Float64Array.from(sample).sort();
  const bound = fans === null ? null : 1 / Math.sqrt(fans.hidden ?? fans.fanIn);
  if (sorted.length >= leastBiases.known && bound !== null && largest <= bound * (1 + 2e-3)) {
    const probability = ksProbability(
      ksDistance(sorted, (x) => Math.min(1, Math.max(0, (1 + x / bound) / 2))),
      sorted.length,
    );
    if (probability >= limits.believed)
      return vote(
        "fresh",
        `Its biases are uniform in ±1/√${fans!.hidden === null ? "fan_in" : "hidden"} (p = ${short(probability)}), PyTorch's default.`,
      );
  }
  if (sorted.length < leastBiases.known) return null;
  const { form, deviation, probability } = bestOf(drawnForms.map((one) => fit(one, sorted, bias, deviationOf(bias))));
  if (probability < limits.given)
    return vote("trained", `Its biases are neither 0 nor drawn around 0 (p = ${short(probability)}).`);
  return vote(
    probability >= limits.believed && sorted.length >= leastBiases.fitted ? "fresh" : "unclear",
    `Its biases may be drawn: the best fit is ${form.name} around 0 with standard deviation ${short(deviation)} (p = ${short(probability)}).`,
    true,
  );
}

/**
 * The votes on biases, seen together: a network is drawn with one σ_b, and training leaves another one in every layer. Where
 * layers whose biases fit a form have one σ_b, they look drawn, however few they are; else they cannot be told.
 */
export function togetherVoted(
  votes: readonly (BiasVote | null)[],
  biases: readonly (WeightStatistics | null)[],
): readonly (OriginVote | null)[] {
  const fitted = votes.flatMap((vote, l) => (vote?.fitted === true ? [{ l, bias: biases[l]! }] : []));
  const pooled = Float64Array.from(fitted.flatMap(({ bias }) => [...bias.sample])).sort();
  const said = votes.map((vote): OriginVote | null => vote?.vote ?? null);
  if (fitted.length < 2 || pooled.length < leastBiases.fitted) return said;
  const variance = pooled.reduce((sum, x) => sum + x * x, 0) / pooled.length;
  // The logarithm of a mean square of n normal draws is known to √(2/n).
  const apart = Math.max(
    ...fitted.map(
      ({ bias }) => Math.abs(Math.log(deviationOf(bias) ** 2 / variance)) * Math.sqrt(drawnCount(bias) / 2),
    ),
  );
  const deviation = short(Math.sqrt(variance));
  const vote: OriginVote =
    apart < sameDeviation
      ? {
          test: "biases",
          verdict: "fresh",
          words: `Its biases look drawn around 0 with one standard deviation, ${deviation}, in ${fitted.length} layers.`,
        }
      : {
          test: "biases",
          verdict: "unclear",
          words: `Its biases may be drawn by themselves, but their standard deviation is not that of other layers (${short(apart)} standard errors apart).`,
        };
  const together = new Set(fitted.map(({ l }) => l));
  return said.map((one, l) => (together.has(l) ? vote : one));
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
