/** The gradient of a convolution's weight, by the fastest form that fits (measured: docs/engine.md). */
import type { GraphBuilder, Value } from "../../../graph/builder.js";
import { columns } from "./columns.js";
import type { Correlation } from "./correlation.js";
import { blockedDepthwise, swappedDepthwise } from "./depthwise.js";
import type { Means, WeightForm } from "./form.js";
import { patches } from "./patches.js";
import { pointwise } from "./pointwise.js";
import { nineProducts, oneProduct } from "./shifts.js";

/** The first that fits is taken; the last fits always. */
export const weightForms: readonly WeightForm[] = Object.freeze([
  blockedDepthwise,
  swappedDepthwise,
  pointwise,
  patches,
  nineProducts,
  oneProduct,
  columns,
]);

export const weightGradient = (b: GraphBuilder, c: Correlation, means: Means, x: Value, dy: Value): Value =>
  (weightForms.find((form) => form.fits(c, means)) ?? columns).make(b, c, x, dy);
