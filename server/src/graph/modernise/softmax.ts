/**
 * Softmax, LogSoftmax and Hardmax. Before opset 13 they saw their input as a matrix: the axes before `axis` (default 1)
 * are its rows, the others its columns. From then on they go along one axis.
 */
import { intAttribute } from "../graph.js";
import { type Raise, withAttribute } from "./raise.js";

export const softmax: Raise["raise"] = (node, { b, rank }) => {
  const data = node.inputs[0] ?? "";
  const axis = intAttribute(node, "axis", 1);
  const axes = rank(data);
  if (axis === -1 || (axes !== null && axis === axes - 1))
    return withAttribute(node, "axis", { kind: "int", value: -1n });
  const rows = b.op(node.op, [b.op("Flatten", [data], { axis })], { axis: -1 });
  return { ...node, op: "Reshape", inputs: [rows, b.op("Shape", [data])], attributes: new Map() };
};
