/**
 * Resize (nearest, linear): linear in its input, axis by axis, so the cotangent is multiplied by the transpose of each
 * axis' matrix of weights. Where every element is repeated equally often, the copies' cotangents are summed instead.
 */
import type { Value } from "../../graph/builder.js";
import { elementCount } from "../../graph/tensor.js";
import { type Reading, readings } from "../interpolation.js";
import { type GradientRule, NoGradient, type Site } from "../rule.js";

/** What each element of the output reads, for an axis that changes. */
interface Axis {
  readonly axis: number;
  readonly reads: readonly (readonly Reading[])[];
}

export const resize: GradientRule = {
  op: "Resize",
  pullback: (site) => [
    () => {
      const shape = site.inputShape(0);
      const changed = axesOf(site, shape);
      const repeats = shape.map((length, axis) => {
        const found = changed.find((one) => one.axis === axis);
        return found === undefined ? 1 : repeatsOf(found, length);
      });
      const now = [...site.outputShape()];
      let value = summed(site, site.dy, now, repeats);
      for (const { axis, reads } of changed) {
        if (repeats[axis] !== null) continue;
        value = multiplied(site, value, now, axis, reads, shape[axis]!);
        now[axis] = shape[axis]!;
      }
      return value;
    },
  ],
};

/** Sums over copies. `now` is the shape of `value` and becomes that of the result; null leaves an axis as it is. */
function summed(site: Site, value: Value, now: number[], repeats: readonly (number | null)[]): Value {
  const { b } = site;
  if (repeats.every((count) => count === null || count === 1)) return value;
  const axes: number[] = [];
  const split: number[] = [];
  repeats.forEach((count, axis) => {
    const times = count ?? 1;
    now[axis] = now[axis]! / times;
    split.push(now[axis]);
    if (times > 1) axes.push(split.push(times) - 1);
  });
  return b.reduceSum(b.reshape(value, split), axes);
}

/** The transpose of the matrix of one axis, times `value` of shape `now`. */
function multiplied(
  { b }: Site,
  value: Value,
  now: readonly number[],
  axis: number,
  reads: readonly (readonly Reading[])[],
  length: number,
): Value {
  const outer = elementCount(now.slice(0, axis));
  const inner = elementCount(now.slice(axis + 1));
  const weights = new Float32Array(reads.length * length);
  const made = now.map((dim, i) => (i === axis ? length : dim));
  if (inner === 1) {
    reads.forEach((line, i) => line.forEach(({ from, weight }) => (weights[i * length + from]! += weight)));
    const matrix = b.literal("float", [reads.length, length], weights);
    return b.reshape(b.matMul(b.reshape(value, [outer, reads.length]), matrix), made);
  }
  reads.forEach((line, i) => line.forEach(({ from, weight }) => (weights[from * reads.length + i]! += weight)));
  const matrix = b.literal("float", [length, reads.length], weights);
  return b.reshape(b.matMul(matrix, b.reshape(value, [outer, reads.length, inner])), made);
}

/** How often each element is repeated, in its place, when all are equally often; else null. */
function repeatsOf({ reads }: Axis, length: number): number | null {
  const times = reads.length / length;
  const regular = reads.every((line, i) => line.length === 1 && line[0]!.from === Math.floor(i / times));
  return Number.isInteger(times) && regular ? times : null;
}

/** Axes whose elements do not stay as they are. */
function axesOf(site: Site, shape: readonly number[]): Axis[] {
  const mode = site.string("mode", "nearest");
  if (mode !== "nearest" && mode !== "linear") throw new NoGradient(`its mode is "${mode}"`);
  if (site.int("antialias", 0) !== 0) throw new NoGradient("it smooths while it shrinks (antialias)");
  const output = site.outputShape();
  const place = site.string("coordinate_transformation_mode", "half_pixel");
  const nearest = site.string("nearest_mode", "round_prefer_floor");
  const axes = (site.ints("axes") ?? shape.map((_, axis) => axis)).map((axis) => site.axis(axis, shape.length));
  const scales = scalesOf(
    site,
    axes.map((axis) => shape[axis]!),
  );
  const roi = site.has(1) ? site.constant(1) : [];
  if (roi === null) throw new NoGradient("the region that it reads is computed");
  return axes.flatMap((axis, i) => {
    const input = shape[axis]!;
    const region = [roi[i] ?? 0, roi[axes.length + i] ?? 1] as const;
    const reads = readings({ input, output: output[axis]!, scale: scales[i]!, mode, place, nearest, region });
    if (reads === null) throw new NoGradient(`it places its elements by "${place}", "${nearest}"`);
    const same = reads.length === input && reads.every((line, at) => line.length === 1 && line[0]!.from === at);
    return same ? [] : [{ axis, reads }];
  });
}

/** Scale of each resized axis, whose lengths before are given. */
function scalesOf(site: Site, lengths: readonly number[]): readonly number[] {
  if (site.has(2)) {
    const scales = site.constant(2);
    if (scales === null) throw new NoGradient("its scales are computed");
    if (scales.length > 0) return scales;
  }
  const sizes = site.constant(3);
  if (sizes === null) throw new NoGradient("its sizes are computed");
  const scales = sizes.map((size, i) => size / lengths[i]!);
  const policy = site.string("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return scales;
  const one = policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  return scales.map(() => one);
}
