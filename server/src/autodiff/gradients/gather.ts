/**
 * Gather: the cotangents of one element are summed. ScatterElements adds them in order; ScatterND, which would copy whole
 * rows, adds by several threads without a lock and loses sums where an index is repeated (seen in ONNX Runtime 1.30).
 * A few known indices in a row (one of three projections, a class token) are cut out and padded.
 */
import { elementCount } from "../../graph/tensor.js";
import { runsOf, scatterRuns } from "../index-map.js";
import type { GradientRule } from "../rule.js";

/** More runs of indices than this cost more than one scatter. */
const mostRuns = 4;

export const gather: GradientRule = {
  op: "Gather",
  pullback: (site) => [
    () => {
      const { b } = site;
      const shape = site.inputShape(0);
      const axis = site.axis(site.int("axis", 0), shape.length);
      const size = shape[axis] ?? 0;
      const count = elementCount(site.inputShape(1));
      if (count === 0) return b.zeros(shape);
      const rows = shape.map((dim, i) => (i === axis ? count : dim));
      const dy = b.reshape(site.dy, rows);
      const runs = runsOf((site.constant(1) ?? []).map((index) => site.axis(index, size)));
      if (runs.length > 0 && runs.length <= mostRuns) return scatterRuns(b, dy, shape.length, axis, runs, size);
      const indices = b.reshape(
        site.input(1),
        shape.map((_, i) => (i === axis ? count : 1)),
      );
      return b.op("ScatterElements", [b.zeros(shape), b.expand(indices, rows), dy], { axis, reduction: "add" });
    },
  ],
};
