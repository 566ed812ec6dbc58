/** Every case of every rule. */
import { activations } from "./activations.js";
import { arithmetic } from "./arithmetic.js";
import type { GradientCase } from "./case.js";
import { convTranspose } from "./conv-transpose.js";
import { conv } from "./conv.js";
import { gatherElements } from "./gather-elements.js";
import { gemm } from "./gemm.js";
import { matMul } from "./mat-mul.js";
import { normalisation } from "./normalisation.js";
import { pointwise } from "./pointwise.js";
import { pools } from "./pools.js";
import { reductions } from "./reductions.js";
import { relu } from "./relu.js";
import { resampling } from "./resampling.js";
import { shapes } from "./shapes.js";
import { softmax } from "./softmax.js";
import { types } from "./types.js";

export const gradientCases: readonly GradientCase[] = [
  ...activations,
  ...arithmetic,
  ...matMul,
  ...pointwise,
  ...reductions,
  ...relu,
  ...shapes,
  ...softmax,
  ...types,
  ...conv,
  ...convTranspose,
  ...gemm,
  ...normalisation,
  ...pools,
  ...resampling,
  ...gatherElements,
];
