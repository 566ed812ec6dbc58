import { gradientCase, type CaseInput, type GradientCase } from "./case.js";

const positive = (...shape: number[]): CaseInput => ({ shape, draw: "positive" });
const apart = (...shape: number[]): CaseInput => ({ shape, draw: "apart" });
/** Elements of two such inputs lie 0.15 or more apart: a step moves each by 1/32 at most. */
const rough = (shift: number, ...shape: number[]): CaseInput => ({ shape, draw: "apart", scale: 3, shift });
const exponent = (...values: number[]): CaseInput => ({
  shape: values.length === 1 ? [] : [values.length],
  fixed: { dtype: "float", values },
});
const mask = (values: readonly number[], ...shape: number[]): CaseInput => ({
  shape,
  fixed: { dtype: "bool", values },
});

export const pointwise: readonly GradientCase[] = [
  gradientCase("Neg", "a matrix", [[3, 4]]),
  gradientCase("Sqrt", "positive numbers", [], { inputs: [positive(3, 4)] }),
  gradientCase("Exp", "a matrix", [[3, 4]]),
  gradientCase("Log", "positive numbers", [], { inputs: [positive(3, 4)] }),
  gradientCase("Abs", "both signs", [], { inputs: [apart(3, 5)] }),
  gradientCase("Reciprocal", "positive numbers", [], { inputs: [positive(3, 4)] }),
  gradientCase("Sin", "a matrix", [[3, 4]]),
  gradientCase("Cos", "a matrix", [[3, 4]]),
  gradientCase("Pow", "a square", [], { inputs: [{ shape: [3, 4] }, exponent(2)] }),
  gradientCase("Pow", "a square with an integer exponent", [], {
    inputs: [{ shape: [3, 4] }, { shape: [], fixed: { dtype: "int64", values: [2] } }],
  }),
  gradientCase("Pow", "a cube of both signs", [], { inputs: [{ shape: [3, 4] }, exponent(3)] }),
  gradientCase("Pow", "a root", [], { inputs: [positive(3, 4), exponent(0.5)] }),
  gradientCase("Pow", "an inverse", [], { inputs: [positive(3, 4), exponent(-1)] }),
  gradientCase("Pow", "an inverse root", [], { inputs: [positive(3, 4), exponent(-0.5)] }),
  gradientCase("Pow", "a fourth power of both signs", [], { inputs: [{ shape: [3, 4] }, exponent(4)] }),
  gradientCase("Pow", "exponent 1, broadcast", [], {
    inputs: [{ shape: [4] }, { shape: [2, 1], fixed: { dtype: "float", values: [1, 1] } }],
  }),
  gradientCase("Pow", "several exponents, 0 among them", [], { inputs: [positive(3, 4), exponent(0, 1, 2, -1.5)] }),
  gradientCase("Pow", "a learned exponent", [], { inputs: [positive(3, 4), { shape: [3, 4] }] }),
  gradientCase("Pow", "a learned exponent, broadcast", [], { inputs: [positive(3, 1, 4), { shape: [2, 1] }] }),
  gradientCase("Max", "two inputs", [], { inputs: [rough(0, 3, 4), rough(0.15, 3, 4)] }),
  gradientCase("Max", "two inputs, broadcast", [], { inputs: [rough(0, 3, 4), rough(0.15, 3, 1)] }),
  gradientCase("Max", "one input", [[3, 4]]),
  gradientCase("Max", "with a constant, as a ReLU", [], { inputs: [apart(3, 4), exponent(0)] }),
  gradientCase("Max", "three inputs, broadcast", [], {
    inputs: [rough(0, 3, 4), rough(0.1, 4), { shape: [3, 1], at: [0.2, -1.3, 0.5] }],
  }),
  gradientCase("Min", "two inputs", [], { inputs: [rough(0, 3, 4), rough(0.15, 3, 4)] }),
  gradientCase("Min", "two inputs, the first broadcast", [], { inputs: [rough(0, 4), rough(0.15, 2, 3, 4)] }),
  gradientCase("Min", "three inputs", [], { inputs: [rough(0, 3, 4), rough(0.1, 3, 4), rough(0.2, 3, 4)] }),
  gradientCase("Where", "same shape", [], {
    inputs: [mask([1, 0, 0, 1, 1, 0], 2, 3), { shape: [2, 3] }, { shape: [2, 3] }],
  }),
  gradientCase("Where", "everything broadcast", [], {
    inputs: [mask([1, 0], 2, 1), { shape: [3] }, { shape: [4, 1, 1] }],
  }),
  gradientCase("Where", "a constant side, as an attention mask has it", [], {
    inputs: [mask([1, 0, 1], 3), { shape: [2, 3] }, exponent(-1e4)],
  }),
];
