/** Every rule that lowers layers, one line each. */
import type { LayerRule } from "../rule.js";
import { activation } from "./activation.js";
import { batchNormalization } from "./batch-normalization.js";
import { convolution } from "./convolution.js";
import { dense } from "./dense.js";
import { dropout } from "./dropout.js";
import { flatten } from "./flatten.js";

export const layerRules: readonly LayerRule[] = Object.freeze([
  activation,
  batchNormalization,
  convolution,
  dense,
  dropout,
  flatten,
]);
