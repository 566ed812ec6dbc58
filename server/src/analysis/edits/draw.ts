/** Seeded numbers for weights: a function of seed, tensor and index, so that neither order nor blocks change them. */
import { layerSeed, mix32 } from "../../pruning/hash.js";

/** Keeps drawn numbers apart from the hashes that break ties and the random criterion. */
const stream = 0x3c6ef372;

/**
 * Standard normals by index: Box and Muller on two hashes each. Indices are mixed twice, with two numbers of the tensor:
 * once would leave runs of one tensor that are shifted copies of another's.
 */
export function normalField(id: string, seed: number): (index: number) => number {
  const first = layerSeed(id, seed) ^ stream;
  const second = mix32(first, stream);
  const hash = (index: number): number => mix32(second ^ mix32(first, index), stream);
  return (index) => {
    const radius = (hash(2 * index) + 0.5) / 2 ** 32;
    const angle = hash(2 * index + 1) / 2 ** 32;
    return Math.sqrt(-2 * Math.log(radius)) * Math.cos(2 * Math.PI * angle);
  };
}

/** Multiplications that one orthogonal matrix may take: a few seconds. */
export const orthogonalLimit = 2 ** 31;

/** Multiplications that {@link orthogonal} takes. */
export const orthogonalCost = (rows: number, columns: number): number =>
  2 * Math.min(rows, columns) ** 2 * Math.max(rows, columns);

/**
 * A matrix [rows, columns] whose rows (or columns, whichever are fewer) are orthonormal: Gram and Schmidt on normal
 * vectors, each projected twice, in float64; distributed as Haar's measure.
 */
export function orthogonal(rows: number, columns: number, normal: (index: number) => number): Float64Array {
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const vectors = Float64Array.from({ length: count * length }, (_, i) => normal(i));
  for (let i = 0; i < count; i++) {
    const vector = vectors.subarray(i * length, (i + 1) * length);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = vectors.subarray(j * length, (j + 1) * length);
        let dot = 0;
        for (let k = 0; k < length; k++) dot += vector[k]! * other[k]!;
        for (let k = 0; k < length; k++) vector[k]! -= dot * other[k]!;
      }
      let norm = 0;
      for (let k = 0; k < length; k++) norm += vector[k]! * vector[k]!;
      norm = Math.sqrt(norm);
      for (let k = 0; k < length; k++) vector[k]! /= norm;
    }
  }
  if (rows <= columns) return vectors;
  const turned = new Float64Array(rows * columns);
  for (let i = 0; i < count; i++) for (let k = 0; k < length; k++) turned[k * columns + i] = vectors[i * length + k]!;
  return turned;
}
