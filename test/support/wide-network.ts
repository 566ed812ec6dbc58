/** A wide random network in float64: what the mean-field maps predict, measured. */
import type { Activation } from "../../server/src/meanfield/activations/activation.js";
import type { Scale } from "../../server/src/meanfield/variance-map.js";
import { uniform } from "../../server/src/runtime/inputs.js";

/** Measured at each layer's pre-activations, for two inputs. */
export interface Measured {
  /** Mean square, averaged over both inputs. */
  readonly q: readonly number[];
  readonly c: readonly number[];
  /** Squared norm of the first input's gradient by the pre-activations. */
  readonly gradient: readonly number[];
}

/** Fully connected, equal widths; the first pre-activations are drawn with variance `q` and correlation `c`. */
export function measure(
  activation: Activation,
  { sigmaW, sigmaB }: Scale,
  { width, depth, seed, q, c }: { width: number; depth: number; seed: number; q: number; c: number },
): Measured {
  const draw = normalSource(seed);
  let pair = [new Float64Array(width), new Float64Array(width)] as const;
  for (let i = 0; i < width; i++) {
    const [a, b] = [draw(), draw()];
    pair[0][i] = Math.sqrt(q) * a;
    pair[1][i] = Math.sqrt(q) * (c * a + Math.sqrt(1 - c * c) * b);
  }
  const layers = [pair];
  const weights: Float64Array[] = [];
  for (let l = 1; l < depth; l++) {
    const matrix = Float64Array.from({ length: width * width }, () => (sigmaW / Math.sqrt(width)) * draw());
    const [h1, h2] = [pair[0].map(activation.value), pair[1].map(activation.value)];
    const next = [new Float64Array(width), new Float64Array(width)] as const;
    for (let i = 0; i < width; i++) {
      let [s1, s2] = [0, 0];
      for (let j = 0, at = i * width; j < width; j++, at++) {
        s1 += matrix[at]! * h1[j]!;
        s2 += matrix[at]! * h2[j]!;
      }
      const bias = sigmaB * draw();
      next[0][i] = s1 + bias;
      next[1][i] = s2 + bias;
    }
    weights.push(matrix);
    pair = next;
    layers.push(next);
  }
  let cotangent = Float64Array.from({ length: width }, draw);
  const gradient = [dot(cotangent, cotangent)];
  for (let l = depth - 2; l >= 0; l--) {
    const matrix = weights[l]!;
    const back = new Float64Array(width);
    for (let i = 0; i < width; i++) {
      const factor = cotangent[i]!;
      for (let j = 0, at = i * width; j < width; j++, at++) back[j]! += matrix[at]! * factor;
    }
    cotangent = back.map((value, j) => value * activation.slope(layers[l]![0][j]!));
    gradient.unshift(dot(cotangent, cotangent));
  }
  return {
    q: layers.map(([a, b]) => (dot(a, a) + dot(b, b)) / (2 * width)),
    c: layers.map(([a, b]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))),
    gradient,
  };
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Standard normals, two from every pair of uniform numbers. */
function normalSource(seed: number): () => number {
  const random = uniform(seed);
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
