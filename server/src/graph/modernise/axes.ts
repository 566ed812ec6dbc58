/** Squeeze, Unsqueeze, the reductions and TopK: lists that were attributes became inputs. */
import { intAttribute, intsAttribute } from "../graph.js";
import { type Raise, restated } from "./raise.js";

/** The attribute `axes` is input 1. */
export const axesInput: Raise["raise"] = (node, { b }) => {
  const axes = intsAttribute(node, "axes");
  return axes === null ? node : restated(node, [node.inputs[0] ?? "", b.ints(axes)], ["axes"]);
};

/** TopK: the attribute `k` is input 1. */
export const topK: Raise["raise"] = (node, { b }) =>
  restated(node, [node.inputs[0] ?? "", b.ints([intAttribute(node, "k", 1)])], ["k"]);
