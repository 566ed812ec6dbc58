/** Operators that treat every element by itself, inputs broadcast against each other; slopes and constants move along. */
import { type ChannelRule, unfitting } from "../rule.js";
import { activations } from "../../operator-kinds.js";

const functions = [
  "Abs",
  "Acos",
  "Acosh",
  "Asin",
  "Asinh",
  "Atan",
  "Atanh",
  "BitwiseNot",
  "Cast",
  "CastLike",
  "Ceil",
  "Cos",
  "Cosh",
  "Dropout",
  "Erf",
  "Exp",
  "Floor",
  "Identity",
  "IsInf",
  "IsNaN",
  "Log",
  "Neg",
  "Not",
  "Reciprocal",
  "Round",
  "Shrink",
  "Sign",
  "Sin",
  "Sinh",
  "Sqrt",
  "Tan",
  "com.microsoft.BiasGelu",
  "com.microsoft.FastGelu",
  "com.microsoft.Gelu",
  "com.microsoft.QuickGelu",
];

const ofSeveral = [
  "Add",
  "And",
  "BitwiseAnd",
  "BitwiseOr",
  "BitwiseXor",
  "Div",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Max",
  "Mean",
  "Min",
  "Mod",
  "Mul",
  "Or",
  "Pow",
  "Sub",
  "Sum",
  "Where",
  "Xor",
];

export const elementwise: ChannelRule = {
  operators: [...activations, ...functions, ...ofSeveral],
  apply: (site) => {
    const rank = site.outputShape()?.length;
    const inputs = site.node.inputs.flatMap((name, i) => (name === "" ? [] : [i]));
    const axes = rank === undefined ? null : site.broadcast(inputs, rank);
    if (axes === null) return unfitting;
    site.node.outputs.forEach((name, output) => {
      if (name !== "") site.give(output, axes);
    });
    return null;
  },
};
