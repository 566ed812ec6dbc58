/**
 * The top of a weight matrix's spectrum. Independent elements have their largest squared singular value where
 * Marchenko and Pastur say, up to Tracy-Widom fluctuations (Johnstone 2001); training adds directions above it. An
 * orthogonal initialisation has rows (or columns, whichever are fewer) at right angles.
 */

/** A matrix in row order. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly elements: Float64Array;
}

export interface Spectrum {
  /** Largest squared singular value over that of independent elements of the same mean square, which it is near to 1. */
  readonly top: number;
  /** By how many Tracy-Widom scales it lies above that; about 4 is met once in ten thousand. */
  readonly excess: number;
  /** Largest |cosine| between two of the rows or columns that are fewer. */
  readonly cosine: number;
}

/** Steps of power iteration: the gap that matters is that of an outlier, which shows after a few. */
const steps = 60;

/** @returns null for a matrix that is too small, or holds nothing. */
export function spectrumOf(matrix: Matrix): Spectrum | null {
  const { rows, columns, elements } = lyingDown(matrix);
  if (rows < 8 || elements.every((value) => value === 0)) return null;
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, a = i * columns, b = j * columns; k < columns; k++, a++, b++) sum += elements[a]! * elements[b]!;
      gram[i * rows + j] = gram[j * rows + i] = sum;
    }
  }
  let trace = 0;
  let cosine = 0;
  for (let i = 0; i < rows; i++) {
    trace += gram[i * rows + i]!;
    for (let j = 0; j < i; j++) {
      const norms = Math.sqrt(gram[i * rows + i]! * gram[j * rows + j]!);
      if (norms > 0) cosine = Math.max(cosine, Math.abs(gram[i * rows + j]!) / norms);
    }
  }
  const variance = trace / (rows * columns);
  const value = largestEigenvalue(gram, rows) / variance;
  const root = Math.sqrt(columns - 1) + Math.sqrt(rows);
  const centre = root ** 2;
  const scale = root * (1 / Math.sqrt(columns - 1) + 1 / Math.sqrt(rows)) ** (1 / 3);
  return { top: value / centre, excess: (value - centre) / scale, cosine };
}

/** With the fewer of rows and columns as rows. */
function lyingDown({ rows, columns, elements }: Matrix): Matrix {
  if (rows <= columns) return { rows, columns, elements };
  const turned = new Float64Array(elements.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = elements[i * columns + j]!;
  return { rows: columns, columns: rows, elements: turned };
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
