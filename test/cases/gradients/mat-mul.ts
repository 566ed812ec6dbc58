import { gradientCase, type GradientCase } from "./case.js";

const fused = { domain: "com.microsoft" } as const;

export const matMul: readonly GradientCase[] = [
  gradientCase("MatMul", "two matrices", [
    [3, 4],
    [4, 5],
  ]),
  gradientCase("MatMul", "a stack and a matrix", [
    [2, 3, 4],
    [4, 5],
  ]),
  gradientCase("MatMul", "a matrix and a stack", [
    [3, 4],
    [2, 4, 5],
  ]),
  gradientCase("MatMul", "two stacks, broadcast", [
    [2, 1, 3, 4],
    [3, 4, 5],
  ]),
  gradientCase("MatMul", "vector and matrix", [[4], [4, 5]]),
  gradientCase("MatMul", "matrix and vector", [[3, 4], [4]]),
  gradientCase("MatMul", "vector and vector", [[4], [4]]),
  gradientCase("MatMul", "vector and stack", [[4], [2, 4, 5]]),
  gradientCase("MatMul", "stack and vector", [[2, 3, 4], [4]]),
  gradientCase(
    "FusedMatMul",
    "left transposed",
    [
      [4, 3],
      [4, 5],
    ],
    { ...fused, attributes: { transA: 1 } },
  ),
  gradientCase(
    "FusedMatMul",
    "right transposed, scaled",
    [
      [2, 3, 4],
      [5, 4],
    ],
    {
      ...fused,
      attributes: { transB: 1, alpha: 0.5 },
    },
  ),
  gradientCase(
    "FusedMatMul",
    "both transposed",
    [
      [2, 4, 3],
      [2, 5, 4],
    ],
    {
      ...fused,
      attributes: { transA: 1, transB: 1 },
    },
  ),
];
