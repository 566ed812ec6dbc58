/**
 * Operators that are not differentiable by nature: step functions, questions about shapes and order, numbers that come
 * from nowhere. Their gradient is zero wherever it exists, as in every framework.
 */
import type { GradientRule } from "../rule.js";

const names = [
  "And",
  "ArgMax",
  "ArgMin",
  "Bernoulli",
  "BitShift",
  "BitwiseAnd",
  "BitwiseNot",
  "BitwiseOr",
  "BitwiseXor",
  "Ceil",
  "ConstantOfShape",
  "Equal",
  "EyeLike",
  "Floor",
  "Greater",
  "GreaterOrEqual",
  "Hardmax",
  "IsInf",
  "IsNaN",
  "Less",
  "LessOrEqual",
  "Multinomial",
  "NonMaxSuppression",
  "NonZero",
  "Not",
  "OneHot",
  "Or",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Range",
  "Round",
  "Shape",
  "Sign",
  "Size",
  "Xor",
] as const;

export const flat: readonly GradientRule[] = names.map((op) => ({ op, flat: true, pullback: () => [] }));
