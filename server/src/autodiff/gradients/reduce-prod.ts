/**
 * ReduceProd: dx is dy times the product of all other elements. That is the product of those before and of those behind,
 * each a scan in log₂ n steps: no division, so that zeros are as good as other numbers, at order 2 too.
 */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import type { GradientRule } from "../rule.js";
import { reducedBy, unsqueezed } from "./reduce.js";

/** The rows of a matrix moved by `steps` columns, to the right or (negative) to the left; ones come in. */
const moved = (b: GraphBuilder, a: Value, steps: number): Value =>
  b.op("Pad", [a, b.ints([0, steps, 0, -steps]), b.scalar(1)]);

/** Product of all elements before each one in its row of length `n`; of all behind it with `direction` −1. */
function productBefore(b: GraphBuilder, a: Value, n: number, direction: 1 | -1): Value {
  let product = moved(b, a, direction);
  for (let steps = 1; steps < n - 1; steps *= 2) product = b.mul(product, moved(b, product, direction * steps));
  return product;
}

export const reduceProd: GradientRule = {
  op: "ReduceProd",
  pullback: (site) => [
    () => {
      const { b } = site;
      const shape = site.inputShape(0);
      const reduced = reducedBy(site);
      const { axes } = reduced;
      const perm = [...shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)), ...axes];
      const front = perm.map((axis) => shape[axis] ?? 1);
      const n = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
      const rows = front.slice(0, shape.length - axes.length).reduce((product, dim) => product * dim, 1);
      const matrix = b.reshape(b.transpose(site.input(0), perm), [rows, n]);
      const others = b.mul(productBefore(b, matrix, n, 1), productBefore(b, matrix, n, -1));
      const back = shape.map((_, axis) => perm.indexOf(axis));
      return b.mul(b.transpose(b.reshape(others, front), back), unsqueezed(site, site.dy, reduced));
    },
  ],
};
