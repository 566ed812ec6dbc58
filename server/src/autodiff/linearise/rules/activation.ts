/**
 * Activations are the identity. What a squashing function bounds stays known, because a product with it is a gate.
 * Conversions between floats, and rounding to a grid of quantised numbers, pass too.
 */
import { isFloat } from "../../../graph/tensor.js";
import { type Bounds, intersect, negated } from "../bounds.js";
import { decision, type LinearRule, type LinearSite, type Signal } from "../rule.js";

const identity = (
  op: string,
  bounds: (site: LinearSite, before: Signal["bounds"]) => Signal["bounds"],
): LinearRule => ({
  op,
  images: (site) => {
    const x = site.signal(0);
    return [{ ...x, bounds: bounds(site, x.bounds) }];
  },
});

/** What Clip's bounds say; null unless both are numbers that the graph holds. */
const clip = (site: LinearSite): Bounds | null => {
  const low = site.constant(1)?.[0];
  const high = site.constant(2)?.[0];
  return low === undefined || high === undefined ? null : [low, high];
};

const unbounded = [
  ...[
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Celu",
    "Cosh",
    "Elu",
    "Exp",
    "Gelu",
    "HardSwish",
    "LeakyRelu",
  ],
  ...["Log", "Mish", "PRelu", "Pow", "Reciprocal", "Selu", "Shrink", "Sinh", "Softplus", "Sqrt", "Swish", "Tan"],
  ...["ThresholdedRelu", "LogSoftmax", "DequantizeLinear", "QuantizeLinear"],
];

export const activations: readonly LinearRule[] = [
  ...unbounded.map((op) => identity(op, () => null)),
  ...["Ceil", "Dropout", "Floor", "Identity", "Round"].map((op) => identity(op, (_, before) => before)),
  ...["HardSigmoid", "Sigmoid"].map((op) => identity(op, () => [0, 1])),
  ...["Cos", "Erf", "Sin", "Sign", "Softsign", "Tanh"].map((op) => identity(op, () => [-1, 1])),
  identity("Abs", (_, before) => before && [0, Math.max(-before[0], before[1])]),
  identity("Clip", (site, before) => intersect(before, clip(site))),
  identity("Neg", (_, before) => before && negated(before)),
  identity("Relu", (_, before) => before && [Math.max(0, before[0]), Math.max(0, before[1])]),
  {
    op: "Cast",
    images: (site) => (isFloat(site.outputType()) ? [site.signal(0)] : [decision]),
  },
];
