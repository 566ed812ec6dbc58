/**
 * Pad: what was added is cut off, what was cut off is zero. In the modes that repeat elements (edge, reflect, wrap), axis
 * by axis, the cotangents of the copies are added to those of what they copy.
 */
import type { Value } from "../../graph/builder.js";
import { runsOf, scatterRuns } from "../index-map.js";
import { type GradientRule, NoGradient, type Site } from "../rule.js";

interface Pads {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function padsOf(site: Site, rank: number): Pads {
  const pads = site.constant(1);
  const axes = site.has(3) ? site.constant(3) : Array.from({ length: rank }, (_, axis) => axis);
  if (pads === null || axes === null) throw new NoGradient("how much it pads is computed");
  const before = Array.from({ length: rank }, () => 0);
  const after = [...before];
  axes.forEach((given, i) => {
    const axis = site.axis(given, rank);
    before[axis] = pads[i] ?? 0;
    after[axis] = pads[axes.length + i] ?? 0;
  });
  return { before, after };
}

/** Place that element `i` copies, counted from the first element of an axis of `size`; `i` may lie outside. */
function copied(mode: string, i: number, size: number): number {
  const modulo = (value: number, by: number): number => ((value % by) + by) % by;
  switch (mode) {
    case "edge":
      return Math.min(Math.max(i, 0), size - 1);
    case "wrap":
      return modulo(i, size);
    case "reflect": {
      const period = Math.max(1, 2 * (size - 1));
      const place = modulo(i, period);
      return Math.min(place, period - place);
    }
    default:
      throw new NoGradient(`it pads in mode "${mode}"`);
  }
}

/** Which element of an axis each element of the padded one is. Negative pads cut first. */
function sourcesOf(mode: string, size: number, before: number, after: number): number[] {
  const start = Math.max(0, -before);
  const left = size - start - Math.max(0, -after);
  const added = Math.max(0, before);
  const length = added + left + Math.max(0, after);
  return Array.from({ length }, (_, i) => start + copied(mode, i - added, left));
}

const opposite = (values: readonly number[]): number[] => values.map((value) => -value);

export const pad: GradientRule = {
  op: "Pad",
  pullback: (site) => {
    const { b } = site;
    const shape = site.inputShape(0);
    const mode = site.string("mode", "constant");
    const { before, after } = padsOf(site, shape.length);
    const cut = (): Value => b.pad(site.dy, opposite(before), opposite(after));
    const all = shape.map((_, axis) => axis);
    if (mode === "constant") {
      // The fill value gets the cotangents of what was added.
      return [cut, null, () => b.sub(b.reduceSum(site.dy, all), b.reduceSum(cut(), all))];
    }
    return [
      () =>
        all.reduce((value, axis) => {
          if (before[axis] === 0 && after[axis] === 0) return value;
          const size = shape[axis] ?? 0;
          const runs = runsOf(sourcesOf(mode, size, before[axis] ?? 0, after[axis] ?? 0));
          return scatterRuns(b, value, shape.length, axis, runs, size);
        }, site.dy),
    ];
  },
};
