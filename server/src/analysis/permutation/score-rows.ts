/** The scores of a set's columns as one matrix: rows are outputs and kernel positions of every weight that the set fills. */
import { blockElements, type NumberField } from "../../formats/stored-elements.js";
import type { Columns, SearchSet } from "./search-sets.js";

/** Bytes of one matrix; above it only every so manieth row is looked at. */
const budgetBytes = 256e6;

export interface ScoreRows {
  /** Row by row; moved so that none is negative, which changes no comparison. */
  readonly scores: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** One in so many rows. */
  readonly stride: number;
}

/** Reads the matrix of `set`. Scores that are no numbers count as the lowest. @param fields scores by layer. */
export async function scoreRows(
  { set, columns }: SearchSet,
  fields: readonly (NumberField | null)[],
  checkpoint: () => Promise<void>,
  budget = budgetBytes,
): Promise<ScoreRows> {
  const all = columns.reduce((sum, one) => sum + rowsOf(one), 0);
  const stride = Math.max(1, Math.ceil((all * set.count * 4) / budget));
  const rows = Math.ceil(all / stride);
  const scores = new Float32Array(rows * set.count);
  const block = new Float32Array(blockElements);
  let row = 0;
  for (const one of columns) {
    const field = fields[one.layer]!;
    const { inner, length } = one.layout;
    const [from, to] = outerOf(one);
    for (let outer = from; outer < to; outer++) {
      const start = (outer * length + one.first) * inner;
      const end = start + set.count * inner;
      for (let at = start; at < end; at += blockElements) {
        const count = Math.min(blockElements, end - at);
        field.read(at, count, block);
        // Element (channel, position) of this output goes to column `channel` of row `position`.
        let channel = Math.floor((at - start) / inner);
        let position = at - start - channel * inner;
        for (let i = 0; i < count; i++) {
          const number = row + position;
          if (number % stride === 0) scores[(number / stride) * set.count + channel] = block[i]!;
          if (++position === inner) {
            position = 0;
            channel++;
          }
        }
      }
      row += inner;
      if (outer % 64 === 0) await checkpoint();
    }
  }
  toNonNegative(scores);
  return { scores, rows, columns: set.count, stride };
}

/** The run of the axes before the reduction axis that has the order of the set. */
function outerOf({ layout, part, parts }: Columns): readonly [number, number] {
  const outer = layout.size / (layout.length * layout.inner);
  return [(part * outer) / parts, ((part + 1) * outer) / parts];
}

const rowsOf = (columns: Columns): number => {
  const [from, to] = outerOf(columns);
  return (to - from) * columns.layout.inner;
};

function toNonNegative(scores: Float32Array): void {
  let least = 0;
  for (const score of scores) if (score < least && score !== -Infinity) least = score;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    scores[i] = Number.isFinite(score) ? score - least : 0;
  }
}
