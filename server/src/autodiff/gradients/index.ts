/** Every gradient rule, by the file it lies in. */
import type { GradientRule } from "../rule.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { averagePool } from "./average-pool.js";
import { batchNormalization } from "./batch-normalization.js";
import { cast, castLike } from "./cast.js";
import { clip } from "./clip.js";
import { concat, split } from "./concat.js";
import { convTranspose } from "./conv-transpose.js";
import { conv } from "./conv.js";
import { depthToSpace, spaceToDepth } from "./depth-to-space.js";
import { elu, selu } from "./elu.js";
import { erf } from "./erf.js";
import { expand } from "./expand.js";
import { flat } from "./flat.js";
import { fusedConv } from "./fused-conv.js";
import { gatherElements, scatterElements } from "./gather-elements.js";
import { gather } from "./gather.js";
import { biasGelu, fastGelu, gelu, microsoftGelu, quickGelu } from "./gelu.js";
import { gemm } from "./gemm.js";
import { globalAveragePool, globalMaxPool } from "./global-pool.js";
import { groupNormalization, instanceNormalization } from "./group-normalization.js";
import { hardSigmoid, hardSwish } from "./hard-sigmoid.js";
import { dropout, identity } from "./identity.js";
import { layerNormalization } from "./layer-normalization.js";
import { leakyRelu, pRelu } from "./leaky-relu.js";
import { fusedMatMul, matMul } from "./mat-mul.js";
import { maxPool } from "./max-pool.js";
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
import { resize } from "./resize.js";
import { sigmoid, softplus } from "./sigmoid.js";
import { slice } from "./slice.js";
import { logSoftmax, softmax } from "./softmax.js";
import { softsign } from "./softsign.js";
import { sum } from "./sum.js";
import { tanh } from "./tanh.js";
import { tile } from "./tile.js";
import { transpose } from "./transpose.js";
import { abs, cos, exp, log, neg, reciprocal, sin, sqrt } from "./unary.js";
import { where } from "./where.js";

export const rules: readonly GradientRule[] = Object.freeze([
  ...[add, div, mul, sub],
  ...[averagePool],
  ...[batchNormalization],
  ...[cast, castLike],
  ...[clip],
  ...[concat, split],
  ...[convTranspose],
  ...[conv],
  ...[depthToSpace, spaceToDepth],
  ...[elu, selu],
  ...[erf],
  ...[expand],
  ...flat,
  ...[fusedConv],
  ...[gatherElements, scatterElements],
  ...[gather],
  ...[biasGelu, fastGelu, gelu, microsoftGelu, quickGelu],
  ...[gemm],
  ...[globalAveragePool, globalMaxPool],
  ...[groupNormalization, instanceNormalization],
  ...[hardSigmoid, hardSwish],
  ...[dropout, identity],
  ...[layerNormalization],
  ...[leakyRelu, pRelu],
  ...[fusedMatMul, matMul],
  ...[max, min],
  ...[maxPool],
  ...[pad],
  ...[pow],
  ...[dequantizeLinear, quantizeLinear],
  ...[reduceMax, reduceMin],
  ...[reduceLogSum, reduceLogSumExp],
  ...[reduceProd],
  ...[reduceL1, reduceL2, reduceMean, reduceSum, reduceSumSquare],
  ...[relu],
  ...[flatten, reshape, squeeze, unsqueeze],
  ...[resize],
  ...[sigmoid, softplus],
  ...[slice],
  ...[logSoftmax, softmax],
  ...[softsign],
  ...[sum],
  ...[tanh],
  ...[tile],
  ...[transpose],
  ...[abs, cos, exp, log, neg, reciprocal, sin, sqrt],
  ...[where],
]);
