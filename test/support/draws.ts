/** Weights as frameworks draw them, by their documentation: what tests of origin, and of nothing else, draw from. */
import { orthogonal } from "../../server/src/analysis/edits/draw.js";

type Random = () => number;

/** Standard normal, by Box and Muller. */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Standard normal cut at two deviations, by rejection as Keras and TensorFlow.js draw it. */
export function truncated(random: Random): number {
  for (;;) {
    const z = normal(random);
    if (Math.abs(z) <= 2) return z;
  }
}

/** Uniform in [−1, 1). */
export const centred = (random: Random): number => 2 * random() - 1;

/** Draws a matrix [outputs, inputs] in row order. */
export type Draw = (outputs: number, inputs: number, random: Random) => Float32Array;

const each =
  (one: (random: Random, inputs: number, outputs: number) => number): Draw =>
  (outputs, inputs, random) =>
    Float32Array.from({ length: outputs * inputs }, () => one(random, inputs, outputs));

/** Keras and TensorFlow.js divide by what the cut leaves of a deviation. */
const kept = 0.87962566103423978;

/** By name: framework and scheme. */
export const draws = {
  "PyTorch's default, uniform in ±1/√fan_in": each((random, inputs) => centred(random) / Math.sqrt(inputs)),
  "PyTorch kaiming_normal_": each((random, inputs) => Math.sqrt(2 / inputs) * normal(random)),
  "PyTorch trunc_normal_(std=0.02), cut at ±2": each((random) => 0.02 * normal(random)),
  "JAX and timm: 0.02, cut at two deviations": each((random) => 0.02 * truncated(random)),
  "Keras glorot_uniform, TensorFlow.js glorotUniform": each(
    (random, inputs, outputs) => Math.sqrt(6 / (inputs + outputs)) * centred(random),
  ),
  "Keras and TensorFlow.js glorot_normal": each(
    (random, inputs, outputs) => (Math.sqrt(2 / (inputs + outputs)) / kept) * truncated(random),
  ),
  "Keras lecun_uniform": each((random, inputs) => Math.sqrt(3 / inputs) * centred(random)),
  "the edge of chaos of tanh": each((random, inputs) => (1.304146 / Math.sqrt(inputs)) * normal(random)),
  orthogonal: (outputs, inputs, random) => Float32Array.from(orthogonal(outputs, inputs, () => normal(random))),
} as const satisfies Readonly<Record<string, Draw>>;
