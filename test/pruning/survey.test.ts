/** The survey against a plain loop over the same scores: statistics, zeros, and the strongest score of each output. */
import { expect, it } from "vitest";
import { blockElements } from "../../server/src/formats/stored-elements.js";
import { deadOutputShare } from "../../server/src/pruning/mask.js";
import { OrderedScores } from "../../server/src/pruning/order.js";
import { select } from "../../server/src/pruning/select.js";
import { outputLayout, survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, uniform } from "../support/arrays.js";

const random = uniform(3);
const roles = { out: [0], in: [1], spatial: [], batch: [], groups: 1 };

/** Shapes with their output axis; the longest spans several blocks, so that rows cross their borders. */
const shapes: readonly { shape: number[]; out: number; batch: number[] }[] = [
  { shape: [7, 5, 3, 3], out: 0, batch: [] },
  { shape: [5, 7], out: 1, batch: [] },
  { shape: [6, 4, 3], out: 1, batch: [] },
  { shape: [2, 12, 5], out: 1, batch: [0] },
  { shape: [3, 5, 4], out: 2, batch: [0] },
  { shape: [3, Math.ceil(blockElements / 2) + 11], out: 0, batch: [] },
  { shape: [2 * blockElements + 5, 3], out: 1, batch: [] },
];

it.each(shapes)("statistics and output maxima of $shape, outputs on axis $out", async ({ shape, out, batch }) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, () => (random() < 0.2 ? 0 : random()));
  const ordered = new OrderedScores([arrayLayer("w", values)], false, true, 0);
  const layout = outputLayout(shape, { ...roles, out: [out], in: [], batch }, false);
  const [layer] = await survey(ordered, [layout], () => Promise.resolve());

  const inner = shape.slice(out + 1).reduce((a, b) => a * b, 1);
  const outer = batch.length === 0 ? 1 : shape[0]!;
  const best = new Float32Array(outer * shape[out]!);
  let sum = 0;
  values.forEach((value, i) => {
    sum += value;
    const row = Math.floor(i / inner) % shape[out]!;
    const b = Math.floor(i / (size / outer));
    const at = b * shape[out]! + row;
    best[at] = Math.max(best[at]!, value);
  });
  expect([...new Float32Array(layer!.outputMax!.buffer)]).toEqual([...best]);
  // Sums of up to 4e5 terms in another order: relative rounding of a few hundred eps.
  expect(Math.abs(layer!.sum - sum) / sum).toBeLessThan(1e-12);
  expect(layer!.zeros).toBe(values.filter((value) => value === 0).length);
  expect(ordered.scoreOf(layer!.maxKey)).toBe(values.reduce((a, b) => Math.max(a, b)));

  const { cut, kept } = select(ordered, [layer!], [0], Math.floor(0.9 * size));
  const threshold = ordered.scoreOf(cut!.key);
  const dead = [...best].filter(
    (value) => value < threshold || (cut!.magnitude === Infinity && value === threshold),
  ).length;
  expect(deadOutputShare(layer!, { cut, kept: kept[0]! })).toBe(dead / best.length);
});

it("tells the outputs of a depthwise kernel [height, width, in, multiplier], on one axis or on two side by side", () => {
  const one = outputLayout([3, 3, 6, 1], { ...roles, out: [2], in: [3], groups: 6 }, false);
  expect(one).toEqual({ inner: 1, outputs: 6, stride: 54, total: 6 });
  const two = outputLayout([3, 3, 6, 2], { ...roles, out: [2, 3], in: [], groups: 6 }, false);
  expect(two).toEqual({ inner: 1, outputs: 12, stride: 108, total: 12 });
});

it("has no outputs for grouped weights whose outputs are spread, and for sparse ones", () => {
  expect(outputLayout([8, 2, 3, 3], { ...roles, out: [1], in: [0], groups: 4 }, false)).toBeNull();
  expect(outputLayout([8, 2], roles, true)).toBeNull();
  expect(outputLayout([8, 2], { ...roles, out: [] }, false)).toBeNull();
});
