/** Operators that stand alone: Scatter, DFT, Scan. */
import { PruneScopeError } from "../../../protocol/errors.js";
import { intAttribute, nodeLabel } from "../graph.js";
import { type Raise, restated } from "./raise.js";

/** Opset 11: another name. */
export const scatter: Raise["raise"] = (node) => ({ ...node, op: "ScatterElements" });

/** Opset 20: the axis is input 2, and its default another. */
export const dft: Raise["raise"] = (node, { b }) => {
  const [data = "", length = ""] = node.inputs;
  return restated(node, [data, length, b.literal("int64", [], [intAttribute(node, "axis", 1)])], ["axis"]);
};

/** Scan of opset 8 goes over batches with lengths of their own, which later ones do not. */
export const scan: Raise["raise"] = (node) => {
  throw new PruneScopeError(
    "unsupported-op",
    `Scan "${nodeLabel(node)}" has the form of opset 8, which no later opset can say. Export the model with opset 9 or newer.`,
    { node: nodeLabel(node), operator: "Scan", opset: 8 },
  );
};
