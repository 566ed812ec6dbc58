/** How much of a layer's score a pattern keeps, in the order as it is and in a new one, and at most. */
import type { NofM } from "../../../protocol/recipe.js";
import { blockElements, type NumberField } from "../../formats/stored-elements.js";
import type { AxisOrder } from "../../graph/channels/orders.js";
import type { GroupLayout } from "../../pruning/pattern/layout.js";

/** Scores that are held at a time, where a layer's are not neighbours. */
const slabElements = 1 << 22;

/** Sums over a layer: of all scores, and of those that the n highest of every group of m make up. */
export interface KeptScore {
  readonly total: number;
  readonly before: number;
  readonly after: number;
  /** Were every row free to choose its own n/m. */
  readonly best: number;
}

/** Sums the scores of one layer. @param order of its reduction axis; null where it stays. */
export async function keptScoreOf(
  field: NumberField,
  layout: GroupLayout,
  order: AxisOrder | null,
  { n, m }: NofM,
  checkpoint: () => Promise<void>,
): Promise<KeptScore> {
  const { length, inner, size } = layout;
  const outer = size / (length * inner);
  const width = Math.min(inner, Math.max(1, Math.floor(slabElements / length)));
  const slab = new Float32Array(length * width);
  const row = new Float32Array(length);
  const moved = new Float32Array(length);
  const group = new Float32Array(m);
  const sums = { total: 0, before: 0, after: 0, best: 0 };
  for (let o = 0; o < outer; o++) {
    const places = order === null ? null : order.orders[Math.floor((o * order.orders.length) / outer)]!;
    for (let from = 0; from < inner; from += width) {
      const count = Math.min(width, inner - from);
      readSlab(field, layout, o * length * inner + from, count, slab);
      for (let i = 0; i < count; i++) {
        for (let c = 0; c < length; c++) {
          const score = slab[c * count + i]!;
          row[c] = Number.isFinite(score) ? score : 0;
          sums.total += row[c]!;
        }
        const before = keptOf(row, n, m, group);
        sums.before += before;
        if (places === null) sums.after += before;
        else {
          for (let c = 0; c < length; c++) moved[c] = row[places[c]!]!;
          sums.after += keptOf(moved, n, m, group);
        }
        row.sort();
        for (let c = length - (length / m) * n; c < length; c++) sums.best += row[c]!;
      }
      if (o % 64 === 0) await checkpoint();
    }
  }
  return sums;
}

/** Reads `count` neighbouring positions of every step of the reduction axis, step by step, from element `start` on. */
function readSlab(
  field: NumberField,
  { length, inner }: GroupLayout,
  start: number,
  count: number,
  slab: Float32Array,
): void {
  const run = count === inner ? length * inner : count;
  for (let at = 0; at < length * count; at += run) {
    const from = start + (at / count) * inner;
    for (let done = 0; done < run; done += blockElements) {
      const some = Math.min(blockElements, run - done);
      field.read(from + done, some, slab.subarray(at + done, at + done + some));
    }
  }
}

/** Sum of the n highest of every m neighbours. */
function keptOf(row: Float32Array, n: number, m: number, group: Float32Array): number {
  let sum = 0;
  if (n === 2 && m === 4) {
    for (let i = 0; i < row.length; i += 4) {
      const [a, b, c, d] = [row[i]!, row[i + 1]!, row[i + 2]!, row[i + 3]!];
      const [high, other] = [Math.max(a, b), Math.max(c, d)];
      sum += Math.max(high, other) + Math.max(Math.min(high, other), high > other ? Math.min(a, b) : Math.min(c, d));
    }
    return sum;
  }
  for (let i = 0; i < row.length; i += m) {
    for (let k = 0; k < m; k++) group[k] = row[i + k]!;
    group.sort();
    for (let k = m - n; k < m; k++) sum += group[k]!;
  }
  return sum;
}
