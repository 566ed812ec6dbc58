/** Layers that do nothing when a model is used. */
import { type LayerRule, only } from "../rule.js";

export const dropout: LayerRule = {
  classes: ["AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D"],
  lower: (call) => [only(call)],
};
