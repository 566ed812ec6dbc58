/**
 * What a pattern keeps of a matrix of scores, summed in float64 from the exact scores: with its columns in some order,
 * and at most, were every row free to choose its own.
 */
import type { NofM } from "../../../protocol/recipe.js";

/** Rows are visited in blocks of about so many elements, with a pause between two. */
const blockElements = 1 << 18;

/** A matrix of scores: row by row, none negative. */
export interface ScoreMatrix {
  readonly scores: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Sum of the n highest scores of every group of m columns, in every row; `order[i]` is the column at place i. It depends
 * on which columns share a group, and on nothing else.
 */
export async function keptScore(
  matrix: ScoreMatrix,
  pattern: NofM,
  order: Uint32Array,
  pause: () => Promise<void>,
): Promise<number> {
  const { scores, rows, columns } = matrix;
  const { n, m } = pattern;
  /** The n highest of a group so far, highest first. */
  const top = new Float32Array(n);
  return sumRows(rows, columns, pause, (row) => {
    let sum = 0;
    for (let first = 0; first < columns; first += m) {
      top.fill(0);
      for (let k = 0; k < m; k++) {
        const score = scores[row * columns + order[first + k]!]!;
        if (score <= top[n - 1]!) continue;
        let place = n - 1;
        for (; place > 0 && top[place - 1]! < score; place--) top[place] = top[place - 1]!;
        top[place] = score;
      }
      for (let k = 0; k < n; k++) sum += top[k]!;
    }
    return sum;
  });
}

/** Sum of every row's columns·n/m highest scores: no order of the columns keeps more. */
export async function mostScore(matrix: ScoreMatrix, pattern: NofM, pause: () => Promise<void>): Promise<number> {
  const { scores, rows, columns } = matrix;
  const count = (columns / pattern.m) * pattern.n;
  const sorted = new Float32Array(columns);
  return sumRows(rows, columns, pause, (row) => {
    sorted.set(scores.subarray(row * columns, (row + 1) * columns));
    sorted.sort();
    let sum = 0;
    for (let i = columns - count; i < columns; i++) sum += sorted[i]!;
    return sum;
  });
}

async function sumRows(
  rows: number,
  columns: number,
  pause: () => Promise<void>,
  ofRow: (row: number) => number,
): Promise<number> {
  const block = Math.max(1, Math.ceil(blockElements / columns));
  let sum = 0;
  for (let start = 0; start < rows; start += block) {
    for (let row = start; row < Math.min(rows, start + block); row++) sum += ofRow(row);
    await pause();
  }
  return sum;
}
