import type { CaseInput, GradientCase } from "./case.js";

const int64 = (shape: readonly number[], values: readonly number[]): CaseInput => ({
  shape,
  fixed: { dtype: "int64", values },
});

const indices = int64([2, 3], [0, 2, 0, 1, -1, 1]);

export const gatherElements: readonly GradientCase[] = [
  { op: "GatherElements", title: "rows, repeated", inputs: [{ shape: [3, 3] }, indices], order: 2 },
  {
    op: "GatherElements",
    title: "columns, negative axis",
    inputs: [{ shape: [2, 4] }, indices],
    attributes: { axis: -1 },
    order: 2,
  },
  {
    op: "ScatterElements",
    title: "replaced",
    inputs: [{ shape: [3, 4] }, int64([2, 2], [0, 3, 1, -4]), { shape: [2, 2] }],
    attributes: { axis: 1 },
    opset: 18,
    order: 2,
  },
  {
    op: "ScatterElements",
    title: "added, repeated",
    inputs: [{ shape: [3, 4] }, indices, { shape: [2, 3] }],
    attributes: { axis: 0, reduction: "add" },
    opset: 18,
    order: 2,
  },
];
