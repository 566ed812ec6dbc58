import { gradientCase, type CaseInput, type GradientCase } from "./case.js";

const axes = (...values: number[]): CaseInput => ({ shape: [values.length], fixed: { dtype: "int64", values } });

/** Axes in every form, as an input (opset 18) and as an attribute. */
function cases(op: string, draw: CaseInput["draw"], more: readonly GradientCase[] = []): GradientCase[] {
  const input = (...shape: number[]): CaseInput => (draw === undefined ? { shape } : { shape, draw });
  return [
    gradientCase(op, "all axes", [], { opset: 18, inputs: [input(3, 4)] }),
    gradientCase(op, "one axis, kept", [], { opset: 18, inputs: [input(2, 3, 4), axes(1)] }),
    gradientCase(op, "two axes from behind, dropped", [], {
      opset: 18,
      inputs: [input(2, 3, 4), axes(-1, -3)],
      attributes: { keepdims: 0 },
    }),
    gradientCase(op, "no axes, and that is meant", [], {
      opset: 18,
      inputs: [input(3, 4), axes()],
      attributes: { noop_with_empty_axes: 1 },
    }),
    gradientCase(op, "axes as an attribute", [], {
      opset: 11,
      inputs: [input(2, 3, 4)],
      attributes: { axes: [0, 2], keepdims: 0 },
    }),
    ...more,
  ];
}

export const reductions: readonly GradientCase[] = [
  ...cases("ReduceSum", undefined),
  ...cases("ReduceMean", undefined),
  ...cases("ReduceSumSquare", undefined),
  ...cases("ReduceL1", "apart"),
  ...cases("ReduceL2", "positive"),
  ...cases("ReduceMax", "apart"),
  ...cases("ReduceMin", "apart"),
  ...cases("ReduceLogSum", "positive"),
  ...cases("ReduceLogSumExp", undefined),
  ...cases("ReduceProd", undefined, [
    gradientCase("ReduceProd", "no zero, one zero, two zeros in a row", [], {
      opset: 18,
      inputs: [{ shape: [3, 4], at: [0.5, -1, 2, 1.5, 0.5, 0, 2, -1, 0, 1, 0, 2] }, axes(1)],
    }),
    gradientCase("ReduceProd", "one element", [], { opset: 18, inputs: [{ shape: [3, 1] }, axes(1)] }),
    gradientCase("ReduceProd", "two elements", [], { opset: 18, inputs: [{ shape: [3, 2] }, axes(1)] }),
    gradientCase("ReduceProd", "nine elements", [], { opset: 18, inputs: [{ shape: [2, 9] }, axes(1)] }),
  ]),
];
