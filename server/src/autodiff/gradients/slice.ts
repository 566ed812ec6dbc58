/**
 * Slice: the cotangent goes back to where it was taken from, zeros around it. A step is undone by zeros between the
 * elements, a negative one by turning the axis round first.
 */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import { type GradientRule, NoGradient, type Site } from "../rule.js";

/** What a slice takes of one axis: `count` elements from `first` on, `stride` apart; `reversed` if it starts at the last. */
interface Window {
  readonly axis: number;
  readonly size: number;
  readonly count: number;
  readonly first: number;
  readonly stride: number;
  readonly reversed: boolean;
}

function windowsOf(site: Site): Window[] {
  const shape = site.inputShape(0);
  const taken = site.outputShape();
  const starts = site.constant(1);
  const axes = site.has(3) ? site.constant(3) : (starts?.map((_, axis) => axis) ?? null);
  const steps = site.has(4) ? site.constant(4) : (starts?.map(() => 1) ?? null);
  if (starts === null || axes === null || steps === null) throw new NoGradient("where it cuts is computed");
  return axes.map((given, i) => {
    const axis = site.axis(given, shape.length);
    const size = shape[axis] ?? 0;
    const count = taken[axis] ?? 0;
    const step = steps[i] ?? 1;
    const start = starts[i] ?? 0;
    const begin = Math.min(Math.max(start < 0 ? start + size : start, 0), step > 0 ? size : size - 1);
    const first = step > 0 ? begin : begin + (count - 1) * step;
    return { axis, size, count, first, stride: count > 1 ? Math.abs(step) : 1, reversed: step < 0 && count > 1 };
  });
}

/** `value` with zeros after each element of the axes that have a stride, so that each fills `stride` places. */
function spread(b: GraphBuilder, value: Value, shape: readonly number[], windows: readonly Window[]): Value {
  const strides = shape.map((_, axis) => windows.find((window) => window.axis === axis)?.stride ?? 1);
  if (strides.every((stride) => stride === 1)) return value;
  const split = shape.flatMap((dim, axis) => (strides[axis] === 1 ? [dim] : [dim, 1]));
  const after = strides.flatMap((stride) => (stride === 1 ? [0] : [0, stride - 1]));
  const padded = b.pad(
    b.reshape(value, split),
    after.map(() => 0),
    after,
  );
  return b.reshape(
    padded,
    shape.map((dim, axis) => dim * (strides[axis] ?? 1)),
  );
}

export const slice: GradientRule = {
  op: "Slice",
  pullback: (site) => [
    () => {
      const { b } = site;
      const shape = site.inputShape(0);
      const windows = windowsOf(site);
      if (windows.some(({ count }) => count === 0)) return b.zeros(shape);
      const turned = windows.filter(({ reversed }) => reversed);
      const dy =
        turned.length === 0
          ? site.dy
          : b.slice(
              site.dy,
              turned.map(({ axis }) => axis),
              turned.map(() => -1),
              turned.map(({ count }) => -count - 1),
              turned.map(() => -1),
            );
      const before = shape.map(() => 0);
      const after = shape.map(() => 0);
      for (const { axis, size, count, first, stride } of windows) {
        before[axis] = first;
        after[axis] = size - first - count * stride;
      }
      return b.pad(spread(b, dy, site.outputShape(), windows), before, after);
    },
  ],
};
