/** Every gradient rule, by the file it lies in. */
import type { GradientRule } from "../rule.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { cast, castLike } from "./cast.js";
import { clip } from "./clip.js";
import { concat, split } from "./concat.js";
import { convTranspose } from "./conv-transpose.js";
import { conv } from "./conv.js";
import { elu, selu } from "./elu.js";
import { erf } from "./erf.js";
import { expand } from "./expand.js";
import { flat } from "./flat.js";
import { gather } from "./gather.js";
import { biasGelu, fastGelu, gelu, microsoftGelu, quickGelu } from "./gelu.js";
import { gemm } from "./gemm.js";
import { hardSigmoid, hardSwish } from "./hard-sigmoid.js";
import { dropout, identity } from "./identity.js";
import { leakyRelu, pRelu } from "./leaky-relu.js";
import { fusedMatMul, matMul } from "./mat-mul.js";
import { max, min } from "./min-max.js";
import { pad } from "./pad.js";
import { pow } from "./pow.js";
import { dequantizeLinear, quantizeLinear } from "./quantize.js";
import { reduceMax, reduceMin } from "./reduce-extremes.js";
import { reduceLogSum, reduceLogSumExp } from "./reduce-log.js";
import { reduceProd } from "./reduce-prod.js";
import { reduceL1, reduceL2, reduceMean, reduceSum, reduceSumSquare } from "./reduce.js";
import { relu } from "./relu.js";
import { flatten, reshape, squeeze, unsqueeze } from "./reshape.js";
import { sigmoid, softplus } from "./sigmoid.js";
import { slice } from "./slice.js";
import { logSoftmax, softmax } from "./softmax.js";
import { sum } from "./sum.js";
import { tanh } from "./tanh.js";
import { tile } from "./tile.js";
import { transpose } from "./transpose.js";
import { abs, cos, exp, log, neg, reciprocal, sin, sqrt } from "./unary.js";
import { where } from "./where.js";

export const rules: readonly GradientRule[] = Object.freeze([
  ...[add, div, mul, sub],
  ...[cast, castLike],
  ...[clip],
  ...[concat, split],
  ...[convTranspose],
  ...[conv],
  ...[elu, selu],
  ...[erf],
  ...[expand],
  ...flat,
  ...[gather],
  ...[biasGelu, fastGelu, gelu, microsoftGelu, quickGelu],
  ...[gemm],
  ...[hardSigmoid, hardSwish],
  ...[dropout, identity],
  ...[leakyRelu, pRelu],
  ...[fusedMatMul, matMul],
  ...[max, min],
  ...[pad],
  ...[pow],
  ...[dequantizeLinear, quantizeLinear],
  ...[reduceMax, reduceMin],
  ...[reduceLogSum, reduceLogSumExp],
  ...[reduceProd],
  ...[reduceL1, reduceL2, reduceMean, reduceSum, reduceSumSquare],
  ...[relu],
  ...[flatten, reshape, squeeze, unsqueeze],
  ...[sigmoid, softplus],
  ...[slice],
  ...[logSoftmax, softmax],
  ...[sum],
  ...[tanh],
  ...[tile],
  ...[transpose],
  ...[abs, cos, exp, log, neg, reciprocal, sin, sqrt],
  ...[where],
]);
