/** Every case of every rule. */
import { arithmetic } from "./arithmetic.js";
import type { GradientCase } from "./case.js";
import { convTranspose } from "./conv-transpose.js";
import { conv } from "./conv.js";
import { gemm } from "./gemm.js";
import { matMul } from "./mat-mul.js";
import { relu } from "./relu.js";

export const gradientCases: readonly GradientCase[] = [
  ...arithmetic,
  ...matMul,
  ...relu,
  ...conv,
  ...convTranspose,
  ...gemm,
];
