/** Comparisons, logic, and the choice between two tensors element by element. */
import type { Lowered } from "../../lowering/lowered.js";
import type { OpRule, OpSite } from "../rule.js";

const operators: Readonly<Record<string, string>> = {
  Equal: "Equal",
  Greater: "Greater",
  GreaterEqual: "GreaterOrEqual",
  Less: "Less",
  LessEqual: "LessOrEqual",
  LogicalAnd: "And",
  LogicalOr: "Or",
  LogicalXor: "Xor",
};

export const comparison: OpRule = {
  ops: Object.keys(operators),
  lower: ({ lowering, node, inputs }) => [lowering.elementwise(operators[node.op]!, inputs)],
  dtype: () => "bool",
};

export const notEqual: OpRule = {
  ops: ["NotEqual"],
  lower: ({ lowering, inputs }) => [lowering.unary("Not", lowering.elementwise("Equal", inputs))],
  dtype: () => "bool",
};

export const logicalNot: OpRule = {
  ops: ["LogicalNot"],
  lower: ({ lowering, inputs }) => [lowering.unary("Not", inputs[0]!)],
  dtype: () => "bool",
};

export const select: OpRule = {
  ops: ["Select", "SelectV2"],
  lower: (site) => {
    const { lowering, inputs, dtypes } = site;
    if (dtypes[1] !== "bool") return [lowering.elementwise("Where", inputs)];
    // ONNX Runtime chooses between numbers only.
    const [condition, ...choices] = inputs as [Lowered, Lowered, Lowered];
    const numbers = choices.map((choice) => asType(site, choice, "int32"));
    return [asType(site, lowering.elementwise("Where", [condition, ...numbers]), "bool")];
  },
  dtype: ({ dtypes }) => dtypes[1]!,
};

const asType = ({ lowering }: OpSite, x: Lowered, dtype: "int32" | "bool"): Lowered => ({
  ...x,
  value: lowering.cast(x.value, dtype),
});
