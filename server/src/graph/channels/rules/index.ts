/** Every rule there is; an operator that is in none keeps its inputs in their order. */
import type { ChannelRule } from "../rule.js";
import { convolution, transposedConvolution } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { gemm, matMul } from "./matrix-product.js";
import { concat, gather, ofShapes, repetition, slice, split, transpose } from "./movement.js";
import { batchNorm, groupNorm, instanceNorm, layerNorm, lpNorm } from "./norms.js";
import { recurrent } from "./recurrent.js";
import { choices, distributions, reductions } from "./reduction.js";
import { reshape } from "./reshape.js";
import { pad, pools, quantisation, resize } from "./spatial.js";

export const channelRules: readonly ChannelRule[] = Object.freeze([
  batchNorm,
  choices,
  concat,
  convolution,
  distributions,
  elementwise,
  gather,
  gemm,
  groupNorm,
  instanceNorm,
  layerNorm,
  lpNorm,
  matMul,
  ofShapes,
  pad,
  pools,
  quantisation,
  recurrent,
  reductions,
  repetition,
  reshape,
  resize,
  slice,
  split,
  transpose,
  transposedConvolution,
]);
