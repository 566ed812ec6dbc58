/** Every loss, in the order in which they are offered. */
import { givenLabels, ownLabels, sampledLabels } from "./cross-entropy.js";
import type { Loss } from "./loss.js";
import { halfMeanSquare, meanSquaredError } from "./squares.js";

export const losses: readonly Loss[] = Object.freeze([
  givenLabels,
  sampledLabels,
  ownLabels,
  meanSquaredError,
  halfMeanSquare,
]);
