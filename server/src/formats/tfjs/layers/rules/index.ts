/** Every rule that lowers layers, one line each. */
import type { LayerRule } from "../rule.js";
import { activation, prelu, rectifiers, softmax } from "./activation.js";
import { batchNormalization } from "./batch-normalization.js";
import { convolution } from "./convolution.js";
import { dense } from "./dense.js";
import { depthwiseConvolution, separableConvolution } from "./depthwise-convolution.js";
import { dropout } from "./dropout.js";
import { embedding } from "./embedding.js";
import { layerNormalization } from "./layer-normalization.js";
import { masking } from "./masking.js";
import { concatenate, dot, merge } from "./merge.js";
import { globalPooling, pooling } from "./pooling.js";
import { categoryEncoding, centerCrop, randomSize, rescaling, resizing } from "./preprocessing.js";
import { bidirectional, recurrent } from "./recurrent.js";
import { flatten, permute, repeatVector, reshape } from "./reshaping.js";
import { cropping, upSampling, zeroPadding } from "./spatial.js";
import { transposedConvolution } from "./transposed-convolution.js";
import { timeDistributed } from "./wrappers.js";

export const layerRules: readonly LayerRule[] = Object.freeze([
  ...[activation, prelu, rectifiers, softmax],
  ...[batchNormalization],
  ...[convolution],
  ...[dense],
  ...[depthwiseConvolution, separableConvolution],
  ...[dropout],
  ...[embedding],
  ...[layerNormalization],
  ...[masking],
  ...[concatenate, dot, merge],
  ...[globalPooling, pooling],
  ...[categoryEncoding, centerCrop, randomSize, rescaling, resizing],
  ...[bidirectional, recurrent],
  ...[flatten, permute, repeatVector, reshape],
  ...[cropping, upSampling, zeroPadding],
  ...[transposedConvolution],
  ...[timeDistributed],
]);
