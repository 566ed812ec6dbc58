/**
 * The transpose of reading along an axis by known indices, y[i] = x[source[i]]: what Gather with few indices and the
 * padding modes of Pad need. The indices are taken as runs that go up, go down or stand still.
 */
import type { GraphBuilder, Value } from "../graph/builder.js";

/** `count` indices in a row, the first of which is entry `from` of the list; the lowest of them is `lowest`. */
export interface Run {
  readonly from: number;
  readonly count: number;
  readonly lowest: number;
  readonly step: 1 | -1 | 0;
}

/** The indices as runs, as long as they can be from the left. */
export function runsOf(source: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let from = 0; from < source.length;) {
    const first = source[from] ?? 0;
    const step = (source[from + 1] ?? Infinity) - first;
    if (step !== 1 && step !== -1 && step !== 0) {
      runs.push({ from, count: 1, lowest: first, step: 1 });
      from++;
      continue;
    }
    let count = 2;
    while (source[from + count] === first + count * step) count++;
    runs.push({ from, count, lowest: step === -1 ? first - count + 1 : first, step });
    from += count;
  }
  return runs;
}

/** Sums what each run of `value` along `axis` contributes to an axis of `size` elements; `rank` is that of `value`. */
export function scatterRuns(
  b: GraphBuilder,
  value: Value,
  rank: number,
  axis: number,
  runs: readonly Run[],
  size: number,
): Value {
  const at = (place: number): number[] => Array.from({ length: rank }, (_, i) => (i === axis ? place : 0));
  const whole = runs.length === 1;
  const pieces = runs.map(({ from, count, lowest, step }) => {
    const last = from + count - 1;
    // An end far to the left of the first element takes that one too.
    const piece =
      step === -1
        ? b.slice(value, [axis], [last], [from === 0 ? -(2 ** 31) : from - 1], [-1])
        : whole
          ? value
          : b.slice(value, [axis], [from], [last + 1]);
    const summed = step === 0 ? b.reduceSum(piece, [axis], true) : piece;
    return b.pad(summed, at(lowest), at(size - lowest - (step === 0 ? 1 : count)));
  });
  return b.sum(pieces);
}
