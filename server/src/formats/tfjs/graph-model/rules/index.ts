/** Every rule that lowers operators of TensorFlow graphs. */
import type { OpRule } from "../rule.js";
import {
  addN,
  arithmetic,
  atan2,
  biasAdd,
  division,
  divisionWithoutNaN,
  modulo,
  squaredDifference,
} from "./arithmetic.js";
import { conv1d, conv2d, conv3d, depthwiseConv2d } from "./convolution.js";
import { fill, filled, filledLike, linSpace, oneHot, range, rank, shape, size } from "./creation.js";
import { einsum } from "./einsum.js";
import { gather, gatherNd, scatterNd, tensorScatterUpdate, topK, unique, where } from "./gathering.js";
import { batchToSpace, depthToSpace, resizing, spaceToBatch } from "./images.js";
import { concat, oldConcat, pack, split, splitBySizes, unpack } from "./joining.js";
import { comparison, logicalNot, notEqual, select } from "./logical.js";
import { batchMatMul, matMul } from "./mat-mul.js";
import { fusedBatchNorm, localResponseNormalization } from "./normalization.js";
import { mirrorPad, pad } from "./padding.js";
import { nothing, passing, passingAll } from "./passing.js";
import { pooling } from "./pooling.js";
import { cumulativeSum, place, reduction, truth } from "./reduction.js";
import { broadcastTo, expandDims, reshape, squeeze, tile, transpose } from "./reshaping.js";
import { reverse, slice, stridedSlice } from "./slicing.js";
import { constant, placeholder } from "./source.js";
import { transposedConvolution } from "./transposed-convolution.js";
import {
  cast,
  clipByValue,
  floatFunction,
  isFinite,
  isInf,
  isNan,
  leakyRelu,
  numberFunction,
  prelu,
  rounding,
  softmax,
  square,
} from "./unary.js";

export const opRules: readonly OpRule[] = Object.freeze([
  addN,
  arithmetic,
  atan2,
  batchMatMul,
  batchToSpace,
  biasAdd,
  broadcastTo,
  cast,
  clipByValue,
  comparison,
  concat,
  constant,
  conv1d,
  conv2d,
  conv3d,
  cumulativeSum,
  depthToSpace,
  depthwiseConv2d,
  division,
  divisionWithoutNaN,
  einsum,
  expandDims,
  fill,
  filled,
  filledLike,
  floatFunction,
  fusedBatchNorm,
  gather,
  gatherNd,
  isFinite,
  isInf,
  isNan,
  leakyRelu,
  linSpace,
  localResponseNormalization,
  logicalNot,
  matMul,
  mirrorPad,
  modulo,
  notEqual,
  nothing,
  numberFunction,
  oldConcat,
  oneHot,
  pack,
  pad,
  passing,
  passingAll,
  place,
  placeholder,
  pooling,
  prelu,
  range,
  rank,
  reduction,
  reshape,
  resizing,
  reverse,
  rounding,
  scatterNd,
  select,
  shape,
  size,
  slice,
  softmax,
  spaceToBatch,
  split,
  splitBySizes,
  square,
  squaredDifference,
  squeeze,
  stridedSlice,
  tensorScatterUpdate,
  tile,
  topK,
  transpose,
  transposedConvolution,
  truth,
  unique,
  unpack,
  where,
]);
