import { gradientCase, type CaseInput, type GradientCase } from "./case.js";

const double = 11;
const scalar = (dtype: "uint8" | "int8" | "bool" | "float", value: number): CaseInput => ({
  shape: [],
  fixed: { dtype, values: [value] },
});
const codes: CaseInput = { shape: [2, 3], fixed: { dtype: "int8", values: [-128, -3, 0, 5, 77, 127] } };

export const types: readonly GradientCase[] = [
  gradientCase("Identity", "a matrix", [[2, 3]]),
  gradientCase("Cast", "to the type it has", [[2, 3]], { attributes: { to: 1 } }),
  gradientCase("Cast", "to double", [[2, 3]], { attributes: { to: double } }),
  gradientCase("CastLike", "to float", [], { inputs: [{ shape: [2, 3] }, scalar("float", 0)] }),
  gradientCase("Dropout", "in an inference model", [[2, 3]]),
  gradientCase("Dropout", "training mode off", [], {
    inputs: [{ shape: [2, 3] }, scalar("float", 0.5), scalar("bool", 0)],
  }),
  gradientCase("DequantizeLinear", "a learned scale", [], { inputs: [codes, { shape: [], draw: "positive" }] }),
  gradientCase("DequantizeLinear", "a learned scale for each column, with zero points", [], {
    inputs: [codes, { shape: [3], draw: "positive" }, { shape: [3], fixed: { dtype: "int8", values: [0, -3, 9] } }],
    attributes: { axis: -1 },
  }),
];
