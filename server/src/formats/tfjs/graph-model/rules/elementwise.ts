/** Operators on corresponding elements, with broadcasting. */
import type { OpRule } from "../rule.js";

const operators: Readonly<Record<string, string>> = {
  Add: "Add",
  AddV2: "Add",
  Identity: "Identity",
  Mul: "Mul",
  Relu: "Relu",
  Sub: "Sub",
};

export const elementwise: OpRule = {
  ops: Object.keys(operators),
  lower: ({ lowering, node, inputs }) => [lowering.elementwise(operators[node.op]!, inputs)],
};
