/** A small tanh network that is really trained, in plain loops: what a few hundred steps of gradient descent leave. */
import { uniform } from "./arrays.js";
import { type Draw, normal } from "./draws.js";

export interface DenseLayer {
  /** [outputs, inputs] in row order. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
}

/**
 * Layers of the given widths, drawn and then trained to tell as many clusters of points as there are outputs apart:
 * stochastic gradient descent with momentum 0.9 on batches of 32, cross-entropy.
 */
export function trainedLayers(widths: readonly number[], draw: Draw, steps: number, seed: number): DenseLayer[] {
  const random = uniform(seed);
  const layers = widths.slice(1).map((outputs, l) => ({
    outputs,
    inputs: widths[l]!,
    weight: Float64Array.from(draw(outputs, widths[l]!, random)),
    bias: new Float64Array(outputs),
  }));
  const moments = layers.map(({ weight, bias }) => [new Float64Array(weight.length), new Float64Array(bias.length)]);
  const classes = widths.at(-1)!;
  const centres = Float64Array.from({ length: classes * widths[0]! }, () => normal(random));
  for (let step = 0; step < steps; step++) {
    const sums = layers.map(({ weight, bias }) => [new Float64Array(weight.length), new Float64Array(bias.length)]);
    for (let sample = 0; sample < batch; sample++) {
      const label = Math.floor(random() * classes);
      const x = Float64Array.from({ length: widths[0]! }, (_, i) => centres[label * widths[0]! + i]! + normal(random));
      accumulate(layers, x, label, sums);
    }
    layers.forEach((layer, l) => {
      [layer.weight, layer.bias].forEach((values, part) => {
        const [moment, sum] = [moments[l]![part]!, sums[l]![part]!];
        for (let i = 0; i < values.length; i++) {
          moment[i] = 0.9 * moment[i]! + sum[i]! / batch;
          values[i]! -= rate * moment[i]!;
        }
      });
    });
  }
  return layers.map((layer) => ({
    ...layer,
    weight: Float32Array.from(layer.weight),
    bias: Float32Array.from(layer.bias),
  }));
}

const batch = 32;
const rate = 0.02;

/** Adds one sample's gradients to `sums`. */
function accumulate(
  layers: readonly (Omit<DenseLayer, "weight" | "bias"> & Readonly<Record<"weight" | "bias", Float64Array>>)[],
  x: Float64Array,
  label: number,
  sums: readonly (readonly Float64Array[])[],
): void {
  const values = [x];
  layers.forEach(({ weight, bias, inputs }, l) => {
    const before = values[l]!;
    const sum = bias.map((start, o) => {
      let total = start;
      for (let i = 0; i < inputs; i++) total += weight[o * inputs + i]! * before[i]!;
      return total;
    });
    values.push(l === layers.length - 1 ? sum : sum.map(Math.tanh));
  });
  const logits = values.at(-1)!;
  const most = Math.max(...logits);
  const exponentials = logits.map((value) => Math.exp(value - most));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  let delta = exponentials.map((value, o) => value / total - (o === label ? 1 : 0));
  for (let l = layers.length - 1; l >= 0; l--) {
    const { weight, inputs, outputs } = layers[l]!;
    const before = values[l]!;
    const back = new Float64Array(inputs);
    for (let o = 0; o < outputs; o++) {
      sums[l]![1]![o]! += delta[o]!;
      for (let i = 0; i < inputs; i++) {
        sums[l]![0]![o * inputs + i]! += delta[o]! * before[i]!;
        back[i]! += delta[o]! * weight[o * inputs + i]!;
      }
    }
    delta = back.map((value, i) => value * (1 - before[i]! ** 2));
  }
}
