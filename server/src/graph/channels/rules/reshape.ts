/**
 * Reshapes: an axis that stays whole, channels flattened with what lies behind or before them, and such an axis taken
 * apart again. Channels split between two axes (shuffles, heads) become an order within each part.
 */
import { type Axis, type Dependent, isDependent, isFree } from "../axes.js";
import { type ChannelRule, unfitting } from "../rule.js";
import { divided, maxSegments, positions, resolved, type Segments, widened } from "../sets.js";
import type { Site } from "../site.js";

export const reshape: ChannelRule = {
  operators: ["Flatten", "Reshape", "Squeeze", "Unsqueeze"],
  apply: (site) => {
    const from = site.shape(0);
    const to = site.outputShape();
    if (from === null || to === null) return unfitting;
    const blocks = blocksOf(from, to);
    if (blocks === null) return unfitting;
    const axes: Axis[] = to.map(() => null);
    for (const block of blocks) {
      const merged = mergedAxes(site, from, block.from);
      if (merged === null) continue;
      const placed = placedAxes(merged, to, block.to);
      if (placed === null) site.fix(merged);
      else axes[placed.axis] = placed.order;
    }
    site.give(0, axes);
    return null;
  },
};

/** Axes of both shapes that hold the same elements; axes of length 1 belong to none. */
interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The finest blocks of equal products, in order; null where the shapes have different numbers of elements. */
function blocksOf(from: readonly number[], to: readonly number[]): Block[] | null {
  if ([...from, ...to].some((length) => length < 1)) return null;
  const longer = (shape: readonly number[]): number[] => shape.flatMap((length, axis) => (length > 1 ? [axis] : []));
  const [left, right] = [longer(from), longer(to)];
  const blocks: Block[] = [];
  while (left.length > 0 && right.length > 0) {
    const block = { from: [left.shift()!], to: [right.shift()!] };
    let [a, b] = [from[block.from[0]!]!, to[block.to[0]!]!];
    while (a !== b) {
      const [axes, shape, own] = a < b ? [left, from, block.from] : [right, to, block.to];
      const next = axes.shift();
      if (next === undefined) return null;
      own.push(next);
      if (a < b) a *= shape[next]!;
      else b *= shape[next]!;
    }
    blocks.push(block);
  }
  return left.length > 0 || right.length > 0 ? null : blocks;
}

/** The order of several axes laid out as one; null where all of them stay. Axes that it cannot speak for are not taken. */
function mergedAxes(site: Site, shape: readonly number[], axes: readonly number[]): Segments | null {
  const orders = axes.map((axis) => ({ axis, order: site.take(0, axis) }));
  const moving = orders.filter(({ order }) => isFree(order));
  const [first] = moving;
  if (first === undefined) return null;
  if (moving.length > 1) {
    for (const { order } of moving) site.fix(order);
    return null;
  }
  const at = axes.indexOf(first.axis);
  const product = (list: readonly number[]): number => list.reduce((all, axis) => all * shape[axis]!, 1);
  const inner = product(axes.slice(at + 1));
  let times = product(axes.slice(0, at));
  let line: Segments;
  if (isDependent(first.order)) {
    // Parts side by side, where what they depend on is the axis right before.
    const { by, parts } = first.order;
    if (axes[at - 1] !== by || parts.length !== shape[by]) {
      site.fix(first.order);
      return null;
    }
    times /= parts.length;
    line = parts.flat();
  } else line = first.order!;
  if (line.length * times > maxSegments) {
    site.fix(line);
    return null;
  }
  return widened(Array.from({ length: times }, () => line).flat(), inner);
}

/** The axis of a block that has the order `line`, the others staying; null where there is none. */
function placedAxes(
  line: Segments,
  to: readonly number[],
  axes: readonly number[],
): { readonly axis: number; readonly order: Segments | Dependent } | null {
  const now = resolved(line);
  const lengths = axes.map((axis) => to[axis]!);
  const product = (list: readonly number[]): number => list.reduce((all, length) => all * length, 1);
  for (const [k, axis] of axes.entries()) {
    const times = product(lengths.slice(0, k));
    const inner = product(lengths.slice(k + 1));
    if (now.some((segment) => segment.inner % inner !== 0)) continue;
    const narrow = now.map(({ set, inner: width }) => ({ set, inner: width / inner }));
    const run = runOf(narrow, times);
    if (run !== null) return { axis, order: run };
  }
  // Within each part of one axis before it: groups of channels, heads.
  for (const [k, axis] of axes.entries()) {
    if (k !== 1) continue;
    const inner = product(lengths.slice(k + 1));
    if (now.some((segment) => segment.inner % inner !== 0)) continue;
    const narrow = now.map(({ set, inner: width }) => ({ set, inner: width / inner }));
    const parts = divided(narrow, lengths[0]!);
    if (parts !== null) return { axis, order: { by: axes[0]!, parts } };
  }
  return null;
}

/** The run that `line` is `times` repetitions of; null where it is none. */
function runOf(line: Segments, times: number): Segments | null {
  if (line.length % times !== 0) return null;
  const run = line.slice(0, line.length / times);
  const same = line.every(({ set, inner }, i) => {
    const one = run[i % run.length]!;
    return one.set === set && one.inner === inner;
  });
  return same && positions(run) * times === positions(line) ? run : null;
}
