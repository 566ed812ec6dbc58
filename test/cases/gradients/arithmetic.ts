import { gradientCase, type GradientCase } from "./case.js";

const away = { shape: [3, 4], draw: "positive" } as const;

export const arithmetic: readonly GradientCase[] = [
  gradientCase("Add", "same shape", [
    [3, 4],
    [3, 4],
  ]),
  gradientCase("Add", "both broadcast", [
    [3, 1, 4],
    [2, 1],
  ]),
  gradientCase("Add", "a scalar", [[2, 3], []]),
  gradientCase("Sub", "a row", [[3, 4], [4]]),
  gradientCase("Mul", "a column", [
    [3, 4],
    [3, 1],
  ]),
  gradientCase("Mul", "longer rank on the right", [[4], [2, 3, 4]]),
  gradientCase("Div", "same shape", [], { inputs: [{ shape: [3, 4] }, away] }),
  gradientCase("Sum", "three inputs, broadcast", [[3, 4], [4], [3, 1]]),
  gradientCase("Sum", "one input", [[3, 4]]),
  gradientCase("Div", "broadcast on the left", [], { inputs: [{ shape: [4] }, away] }),
];
