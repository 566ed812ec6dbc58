/** What each test says of whether a layer was freshly drawn or trained, with its figures in words. */
import type { OriginVote } from "../../../protocol/insights.js";
import { type DrawnForm, drawnForms, knownSchemes } from "./distributions.js";
import { ksDistance, ksProbability } from "./kolmogorov-smirnov.js";
import { type Matrix, type Spectrum, spectrumOf } from "./spectrum.js";
import type { WeightStatistics } from "./weight-statistics.js";

/** From this probability on a form is believed, and below that all forms are given up. */
const limits = { believed: 5e-3, given: 1e-5 } as const;
/** Fewer elements tell no form from another. */
const leastSample = 128;
/** Tracy-Widom scales: below, independent elements are met with 99.99 %; above, never. */
const excessLimits = { fresh: 4, trained: 8 } as const;
/** Cosines of float32 rows made orthogonal. */
const orthogonalCosine = 2e-4;

/** A vote on the distribution; null where there are too few elements. @param fans null where they are not known. */
export function distributionVote(
  { sample, zeros, size }: WeightStatistics,
  fans: { readonly fanIn: number; readonly fanOut: number } | null,
): OriginVote | null {
  if (sample.length < leastSample) return null;
  const deviation = Math.sqrt(sample.reduce((sum, x) => sum + x * x, 0) / sample.length);
  const best = drawnForms
    .map((form) => ({ form, probability: fit(form, sample, deviation) }))
    .reduce((a, b) => (b.probability > a.probability ? b : a));
  const left = zeros > 0.01 * size ? ` (its ${percent(zeros / size)} zeros left out)` : "";
  const words = (verdict: string): string =>
    `Its weights${left} ${verdict}: the best fit is ${best.form.name} with standard deviation ${short(deviation)}, Kolmogorov-Smirnov p = ${short(best.probability)}.`;
  if (best.probability < limits.given)
    return { test: "distribution", verdict: "trained", words: words("have no form that is drawn") };
  if (best.probability < limits.believed)
    return { test: "distribution", verdict: "unclear", words: words("fit no form well") };
  // The standard deviation of n draws is known to 1/√(2n), or less.
  const error = 4 / Math.sqrt(2 * sample.length);
  const scheme =
    fans === null
      ? undefined
      : knownSchemes(fans.fanIn, fans.fanOut).find(
          (one) => one.form === best.form.name && Math.abs(one.deviation / deviation - 1) < error,
        );
  return {
    test: "distribution",
    verdict: "fresh",
    words: `${words("look drawn")}${scheme === undefined ? "" : ` That is ${scheme.name}.`}`,
  };
}

const fit = (form: DrawnForm, sample: Float64Array, deviation: number): number =>
  ksProbability(
    ksDistance(sample, (x) => form.cumulative(x, deviation)),
    sample.length,
  );

/** A vote on the spectrum; null where the matrix is too small. */
export function spectrumVote(matrix: Matrix | null): OriginVote | null {
  const spectrum: Spectrum | null = matrix === null ? null : spectrumOf(matrix);
  if (spectrum === null) return null;
  const { top, excess, cosine } = spectrum;
  if (cosine < orthogonalCosine)
    return {
      test: "spectrum",
      verdict: "fresh",
      words: `Its rows or columns are orthogonal (largest cosine ${short(cosine)}), as an orthogonal initialisation makes them.`,
    };
  const verdict = excess <= excessLimits.fresh ? "fresh" : excess > excessLimits.trained ? "trained" : "unclear";
  return {
    test: "spectrum",
    verdict,
    words: `Its largest squared singular value is ${short(top)} times that of independent weights (${short(excess)} Tracy-Widom scales from it).`,
  };
}

/** A vote on the biases; null where they are too few to tell. @param fanIn null where it is not known. */
export function biasVote(bias: WeightStatistics, fanIn: number | null): OriginVote | null {
  if (bias.zeros === bias.size) return { test: "biases", verdict: "fresh", words: "Its biases are 0." };
  if (bias.largest ** 2 <= bias.meanSquare * (1 + 1e-6) && bias.size > 1)
    return { test: "biases", verdict: "fresh", words: `Its biases are all ±${short(bias.largest)}.` };
  const bound = fanIn === null ? null : 1 / Math.sqrt(fanIn);
  const uniform = drawnForms.find(({ name }) => name === "uniform")!;
  if (bias.sample.length >= 8 && bound !== null && bias.largest <= bound * (1 + 1e-6)) {
    const probability = fit(uniform, bias.sample, bound / Math.sqrt(3));
    if (probability >= limits.believed)
      return {
        test: "biases",
        verdict: "fresh",
        words: `Its biases are uniform in ±1/√fan_in (p = ${short(probability)}), PyTorch's default.`,
      };
  }
  if (bias.sample.length < leastSample / 4) return null;
  const deviation = Math.sqrt(bias.meanSquare);
  const best = Math.max(...drawnForms.map((form) => fit(form, bias.sample, deviation)));
  if (best >= limits.believed && bias.zeros === 0)
    return {
      test: "biases",
      verdict: "fresh",
      words: `Its biases look drawn around 0 with standard deviation ${short(deviation)} (p = ${short(best)}).`,
    };
  return {
    test: "biases",
    verdict: best < limits.given ? "trained" : "unclear",
    words: `Its biases are neither 0 nor drawn around 0 (p = ${short(best)}).`,
  };
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
