/** Every gradient rule, by the file it lies in. */
import type { GradientRule } from "../rule.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { expand } from "./expand.js";
import { fusedMatMul, matMul } from "./mat-mul.js";
import { reduceSum } from "./reduce.js";
import { relu } from "./relu.js";
import { sum } from "./sum.js";

export const rules: readonly GradientRule[] = Object.freeze([
  ...[add, div, mul, sub],
  ...[expand],
  ...[fusedMatMul, matMul],
  ...[reduceSum],
  ...[relu],
  ...[sum],
]);
