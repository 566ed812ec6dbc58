/** How frameworks draw weights: the forms of the distributions, and the standard deviations of the known schemes. */
import { normalCdf } from "../normal.js";

export interface DrawnForm {
  readonly name: "normal" | "truncated normal" | "uniform";
  /** Cumulative function of the form with mean 0 and this standard deviation. */
  readonly cumulative: (x: number, deviation: number) => number;
}

/** A normal cut at two deviations keeps this much of its standard deviation (Keras, JAX and PyTorch's ViTs draw so). */
const truncatedDeviation = 0.8796256610342398;
const inside = normalCdf(2) - normalCdf(-2);

export const drawnForms: readonly DrawnForm[] = [
  { name: "normal", cumulative: (x, deviation) => normalCdf(x / deviation) },
  {
    name: "truncated normal",
    cumulative: (x, deviation) => {
      const z = (x / deviation) * truncatedDeviation;
      return z <= -2 ? 0 : z >= 2 ? 1 : (normalCdf(z) - normalCdf(-2)) / inside;
    },
  },
  {
    name: "uniform",
    cumulative: (x, deviation) => Math.min(1, Math.max(0, 0.5 + x / (2 * Math.sqrt(3) * deviation))),
  },
];

export interface Scheme {
  readonly name: string;
  readonly form: DrawnForm["name"];
  readonly deviation: number;
}

/** The schemes of PyTorch, Keras, TensorFlow.js and JAX for a weight with these fans. */
export function knownSchemes(fanIn: number, fanOut: number): readonly Scheme[] {
  const variances: readonly (readonly [string, number])[] = [
    ["He, fan-in", 2 / fanIn],
    ["He, fan-out", 2 / fanOut],
    ["Glorot", 2 / (fanIn + fanOut)],
    ["LeCun", 1 / fanIn],
  ];
  return [
    // kaiming_uniform with a = √5 is uniform in ±1/√fan_in.
    { name: "PyTorch's default", form: "uniform", deviation: 1 / Math.sqrt(3 * fanIn) },
    ...variances.flatMap(([name, variance]) =>
      drawnForms.map((form) => ({ name, form: form.name, deviation: Math.sqrt(variance) })),
    ),
    { name: "standard deviation 0.02", form: "normal", deviation: 0.02 },
    { name: "standard deviation 0.02", form: "truncated normal", deviation: 0.02 },
    { name: "standard deviation 0.05", form: "normal", deviation: 0.05 },
    { name: "bound 0.05", form: "uniform", deviation: 0.05 / Math.sqrt(3) },
  ];
}
