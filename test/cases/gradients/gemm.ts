import type { AttributeValue } from "../../support/models.js";
import { gradientCase, type GradientCase } from "./case.js";

const one = (
  title: string,
  shapes: readonly (readonly number[])[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  more: Partial<GradientCase> = {},
): GradientCase => gradientCase("Gemm", title, shapes, { attributes, ...more });

const [a, at, b, bt] = [
  [3, 4],
  [4, 3],
  [4, 5],
  [5, 4],
];

export const gemm: readonly GradientCase[] = [
  one("plain", [a, b]),
  one("left transposed", [at, b], { transA: 1 }),
  one("right transposed", [a, bt], { transB: 1 }),
  one("both transposed", [at, bt], { transA: 1, transB: 1 }),
  one("scaled, matrix added", [a, b, [3, 5]], { alpha: { float: 0.5 }, beta: { float: 2 } }),
  one("row added", [a, bt, [5]], { transB: 1 }),
  one("row added, rank 2", [a, bt, [1, 5]], { transB: 1, alpha: { float: 2 } }),
  one("column added", [at, b, [3, 1]], { transA: 1, beta: { float: 0.5 } }),
  one("one number added", [a, b, [1]]),
  one("scalar added", [a, b, []]),
  one("opset 9", [a, bt, [5]], { transB: 1 }, { opset: 9 }),
];
