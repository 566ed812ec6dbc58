/** How frameworks draw weights: the forms of the distributions, and the standard deviations of the known schemes. */
import { erfc, normalCdf } from "../normal.js";

export interface DrawnForm {
  readonly name: "normal" | "truncated normal" | "uniform";
  /** Cumulative function of the form with mean 0 and this standard deviation. */
  readonly cumulative: (x: number, deviation: number) => number;
  /** Largest magnitude in standard deviations. */
  readonly support: number;
  /** Relative standard error of √mean w² of n draws, times √n: √(κ − 1)/2 with the kurtosis κ. */
  readonly error: number;
}

/** A normal cut at two deviations keeps this much of its standard deviation (Keras, JAX and PyTorch's ViTs draw so). */
const truncatedDeviation = 0.8796256610342398;
const inside = normalCdf(2) - normalCdf(-2);

export const drawnForms: readonly DrawnForm[] = [
  {
    name: "normal",
    cumulative: (x, deviation) => normalCdf(x / deviation),
    support: Infinity,
    error: Math.sqrt(2) / 2,
  },
  {
    name: "truncated normal",
    cumulative: (x, deviation) => {
      const z = (x / deviation) * truncatedDeviation;
      return z <= -2 ? 0 : z >= 2 ? 1 : (normalCdf(z) - normalCdf(-2)) / inside;
    },
    support: 2 / truncatedDeviation,
    // κ = 2.3656.
    error: Math.sqrt(1.3656) / 2,
  },
  {
    name: "uniform",
    cumulative: (x, deviation) => Math.min(1, Math.max(0, 0.5 + x / (2 * Math.sqrt(3) * deviation))),
    support: Math.sqrt(3),
    // κ = 9/5.
    error: Math.sqrt(0.8) / 2,
  },
];

/** Relative distance of bfloat16 numbers, the coarsest float. */
const rounding = 2 ** -8;

/**
 * Probability of magnitudes that reach so far beyond what stands below them, for n draws of a form with its deviation
 * fitted: of a normal by its largest; of a form with an edge by the gap between the largest and the √n-th, because whatever
 * moves weights wipes the edge out first. Each draw leaves a gap of 1/n on average, exponentially distributed; sums by
 * Wilson and Hilferty.
 * @param sorted a sample in ascending order. @param largest of all n elements, of which it is a part.
 */
export function tailProbability(
  form: DrawnForm,
  sorted: Float64Array,
  { largest, deviation, n }: { readonly largest: number; readonly deviation: number; readonly n: number },
): number {
  if (form.support === Infinity) return Math.min(1, n * erfc(largest / deviation / Math.SQRT2));
  const edge = form.support * deviation * (1 + (5 * form.error) / Math.sqrt(n) + rounding);
  if (largest > edge) return 0;
  const count = sorted.length;
  const gaps = Math.ceil(Math.sqrt(count));
  const magnitudes = sorted.map(Math.abs).sort();
  const [top, below] = [magnitudes[count - 1]!, magnitudes[count - 1 - gaps]! * (1 + rounding)];
  const share = Math.max(0, 2 * (1 - form.cumulative(below, top / form.support)));
  const z = (Math.cbrt((share * count) / gaps) - (1 - 1 / (9 * gaps))) * Math.sqrt(9 * gaps);
  return erfc(z / Math.SQRT2) / 2;
}

export interface Scheme {
  readonly name: string;
  readonly form: DrawnForm["name"];
  readonly deviation: number;
}

/** What a framework counts as the inputs and outputs of a weight. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
  /** Size of the state of a recurrent layer; null for others. */
  readonly hidden: number | null;
}

/** The schemes of PyTorch, Keras, TensorFlow.js and JAX for a weight with these fans. */
export function knownSchemes({ fanIn, fanOut, hidden }: Fans): readonly Scheme[] {
  const variances: readonly (readonly [string, number])[] = [
    ["He, fan-in", 2 / fanIn],
    ["He, fan-out", 2 / fanOut],
    ["Glorot", 2 / (fanIn + fanOut)],
    ["LeCun", 1 / fanIn],
  ];
  return [
    // kaiming_uniform with a = √5 is uniform in ±1/√fan_in; recurrent layers are uniform in ±1/√hidden.
    { name: "PyTorch's default", form: "uniform", deviation: 1 / Math.sqrt(3 * (hidden ?? fanIn)) },
    ...variances.flatMap(([name, variance]) =>
      drawnForms.map((form) => ({ name, form: form.name, deviation: Math.sqrt(variance) })),
    ),
    { name: "standard deviation 0.02", form: "normal", deviation: 0.02 },
    { name: "standard deviation 0.02", form: "truncated normal", deviation: 0.02 },
    { name: "standard deviation 0.02, cut at two", form: "truncated normal", deviation: 0.02 * truncatedDeviation },
    { name: "standard deviation 0.05", form: "normal", deviation: 0.05 },
    { name: "bound 0.05", form: "uniform", deviation: 0.05 / Math.sqrt(3) },
  ];
}
