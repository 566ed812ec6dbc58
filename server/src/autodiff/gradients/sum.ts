/** Sum of any number of inputs, broadcast against each other. */
import type { GradientRule } from "../rule.js";

export const sum: GradientRule = {
  op: "Sum",
  broadcasts: true,
  pullback: ({ arity, dy }) => Array.from({ length: arity }, () => () => dy),
};
