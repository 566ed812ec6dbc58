/** Every linear rule, by the file it lies in. */
import type { LinearRule } from "../rule.js";
import { activations } from "./activation.js";
import { choices } from "./choice.js";
import { layers } from "./weighted.js";
import { movements } from "./movement.js";
import { normalisations } from "./normalisation.js";
import { products } from "./product.js";
import { recurrences } from "./recurrent.js";
import { reductions } from "./reduction.js";
import { sums } from "./sum.js";

export const linearRules: readonly LinearRule[] = Object.freeze([
  ...activations,
  ...choices,
  ...layers,
  ...movements,
  ...normalisations,
  ...products,
  ...recurrences,
  ...reductions,
  ...sums,
]);
