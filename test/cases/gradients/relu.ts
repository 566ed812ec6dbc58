import { gradientCase, type GradientCase } from "./case.js";

export const relu: readonly GradientCase[] = [
  gradientCase("Relu", "away from the kink", [], { inputs: [{ shape: [3, 5], draw: "apart" }], order: 2 }),
];
