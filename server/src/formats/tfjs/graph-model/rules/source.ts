/** Where tensors come from: inputs of the model and constants of its manifest. */
import { PruneScopeError } from "../../../../../protocol/errors.js";
import { type OpRule, Unlowered } from "../rule.js";
import { dtypeOf } from "../types.js";

export const placeholder: OpRule = {
  ops: ["Placeholder"],
  lower: ({ lowering, node }) => {
    const dtype = dtypeOf(node, "dtype");
    if (dtype === "string" || dtype === "other") throw new Unlowered("its elements are no numbers");
    return [lowering.input(node.name, dtype, node.shape("shape"))];
  },
  dtype: ({ node }) => dtypeOf(node, "dtype"),
};

export const constant: OpRule = {
  ops: ["Const"],
  lower: ({ lowering, node }) => {
    const weight = lowering.weight(node.weight);
    if (weight !== null) return [weight];
    throw new PruneScopeError("malformed-model", `Constant "${node.name}" has no weight in the manifest.`, {
      node: node.name,
    });
  },
  dtype: ({ node }) => dtypeOf(node, "dtype"),
};
