/** BatchNormalization and GroupNormalization. */
import { intAttribute } from "../graph.js";
import { float, type Raise, restated } from "./raise.js";

/**
 * Opset 9 took away `spatial` = 0, where every element of a sample has statistics of its own: it becomes arithmetic,
 * (x − mean) / √(var + ε) · scale + bias, which broadcasts over the batch.
 */
export const batchNormSpatial: Raise["raise"] = (node, { b, scalar }) => {
  if (intAttribute(node, "spatial", 1) === 1) return restated(node, node.inputs, ["spatial"]);
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = node.inputs;
  const deviation = b.op("Sqrt", [b.add(variance, scalar(float(node, "epsilon", 1e-5), variance))]);
  const scaled = b.mul(b.div(b.sub(x, mean), deviation), scale);
  return { ...node, op: "Add", inputs: [scaled, bias], outputs: node.outputs.slice(0, 1), attributes: new Map() };
};

/** Opset 14: statistics of training have a mode of their own; those that older inference models list hold nothing. */
export const batchNormOutputs: Raise["raise"] = (node) => ({ ...node, outputs: node.outputs.slice(0, 1) });

/** Opset 21: scale and bias have an element for each channel instead of each group. */
export const groupNorm: Raise["raise"] = (node, { b }) => {
  const [x = "", scale = "", bias = ""] = node.inputs;
  const groups = b.ints([intAttribute(node, "num_groups", 1)]);
  const channels = b.op("Shape", [x], { start: 1, end: 2 });
  const shape = b.concat([groups, b.div(channels, groups)], 0);
  const spread = (perGroup: string): string =>
    b.reshape(b.op("Expand", [b.op("Unsqueeze", [perGroup, b.ints([1])]), shape]), [-1]);
  return { ...node, inputs: [x, spread(scale), spread(bias)] };
};
