/**
 * The top of a weight matrix's spectrum. Independent elements have their largest squared singular value at the edge of
 * Marchenko and Pastur, up to Tracy-Widom fluctuations (Johnstone 2001); training adds directions above it. Of a masked
 * matrix the same is measured with the signs of its elements redrawn, which keeps the mask and every magnitude. An
 * orthogonal initialisation has rows (or columns, whichever are fewer) at right angles and of one length.
 */
import { uniform } from "../../runtime/inputs.js";

/** A matrix in row order. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly elements: Float64Array;
}

export interface Spectrum {
  /** Largest squared singular value over that of independent elements, which it is near to 1. */
  readonly top: number;
  /** By how many Tracy-Widom scales it lies above that; 4 is met less than once in a thousand. */
  readonly excess: number;
  /** Of the rows or columns that are fewer: the largest |cosine| between two, and the largest over the least norm. */
  readonly cosine: number;
  readonly norms: number;
}

/** Steps of power iteration: the gap that matters is that of an outlier, which shows after a few. */
const steps = 60;
/** Redrawn signs: the mean of so many largest values is known to half a Tracy-Widom scale. */
const redraws = 4;

/** Edge of Marchenko and Pastur: the largest squared singular value of independent elements of variance 1. */
export const spectrumEdge = (rows: number, columns: number): number => (Math.sqrt(columns) + Math.sqrt(rows)) ** 2;

/** @param masked zeros are a mask's. @returns null for a matrix that is too small, or holds nothing. */
export function spectrumOf(matrix: Matrix, masked: boolean): Spectrum | null {
  const lying = lyingDown(matrix);
  const { rows, columns, elements } = lying;
  if (rows < 8 || elements.every((value) => value === 0)) return null;
  const gram = gramOf(lying);
  let trace = 0;
  let cosine = 0;
  let [least, most] = [Infinity, 0];
  for (let i = 0; i < rows; i++) {
    const square = gram[i * rows + i]!;
    trace += square;
    least = Math.min(least, square);
    most = Math.max(most, square);
    for (let j = 0; j < i; j++) {
      const norms = Math.sqrt(square * gram[j * rows + j]!);
      if (norms > 0) cosine = Math.max(cosine, Math.abs(gram[i * rows + j]!) / norms);
    }
  }
  const variance = trace / (rows * columns);
  const value = largestEigenvalue(gram, rows) / variance;
  const centre = masked ? redrawn(lying) / variance : spectrumEdge(rows, columns - 1);
  const [a, b] = [Math.sqrt(columns - 1), Math.sqrt(rows)];
  const scale = (a + b) * (1 / a + 1 / b) ** (1 / 3);
  return { top: value / centre, excess: (value - centre) / scale, cosine, norms: Math.sqrt(most / least) };
}

/** With the fewer of rows and columns as rows. */
function lyingDown({ rows, columns, elements }: Matrix): Matrix {
  if (rows <= columns) return { rows, columns, elements };
  const turned = new Float64Array(elements.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = elements[i * columns + j]!;
  return { rows: columns, columns: rows, elements: turned };
}

/** Products of all pairs of rows. */
function gramOf({ rows, columns, elements }: Matrix): Float64Array {
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, a = i * columns, b = j * columns; k < columns; k++, a++, b++) sum += elements[a]! * elements[b]!;
      gram[i * rows + j] = gram[j * rows + i] = sum;
    }
  }
  return gram;
}

/** Mean of the largest squared singular value over redrawn signs. */
function redrawn({ rows, columns, elements }: Matrix): number {
  const random = uniform(1);
  let sum = 0;
  for (let draw = 0; draw < redraws; draw++) {
    const signed = elements.map((value) => (random() < 0.5 ? -value : value));
    sum += largestEigenvalue(gramOf({ rows, columns, elements: signed }), rows);
  }
  return sum / redraws;
}

/** Of a symmetric matrix without negative eigenvalues, by power iteration. */
function largestEigenvalue(gram: Float64Array, n: number): number {
  // Not at right angles to anything in particular.
  let vector = Float64Array.from({ length: n }, (_, i) => 1 + Math.sin(i + 1) / 2);
  let value = 0;
  for (let step = 0; step < steps; step++) {
    const next = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += gram[i * n + j]! * vector[j]!;
      next[i] = sum;
    }
    value = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
    if (value === 0) return 0;
    vector = next.map((x) => x / value);
  }
  return value;
}
