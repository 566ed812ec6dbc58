/** The scores as the search sees them: 8 bits each, column by column, of all rows or of evenly spaced ones. */
import type { ScoreMatrix } from "./kept.js";
import type { Kernel } from "./kernel.js";

/** Bytes of all columns that a search holds at most, and as many of thresholds. */
const mostBytes = 1 << 28;

/** A kernel works on whole vectors. */
const vector = 16;

/** Highest score. @throws RangeError where one is negative or no finite number. */
export function highestScore({ scores }: ScoreMatrix): number {
  let highest = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (!(score >= 0 && score < Infinity))
      throw new RangeError(`A score is ${score}; none may be negative or infinite.`);
    if (score > highest) highest = score;
  }
  return highest;
}

/** How far apart the rows are that a search looks at. */
export const rowStep = ({ rows, columns }: ScoreMatrix): number => Math.ceil((rows * columns) / mostBytes);

/** Bytes of a column of every `step`-th row. */
export const columnBytes = ({ rows }: ScoreMatrix, step: number): number =>
  Math.ceil(Math.ceil(rows / step) / vector) * vector;

/** Fills a kernel's columns with every `step`-th row, in 255ths of `highest`. */
export async function quantise(
  { scores, rows, columns }: ScoreMatrix,
  { weights, stride }: Kernel,
  highest: number,
  step: number,
  pause: () => Promise<void>,
): Promise<void> {
  for (let row = 0, at = 0; row < rows; row += step, at++) {
    const from = row * columns;
    for (let c = 0; c < columns; c++) weights[c * stride + at] = Math.round((scores[from + c]! / highest) * 255);
    if (at % 256 === 0) await pause();
  }
}
