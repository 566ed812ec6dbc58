/** Slice, Split and Pad: where to cut became inputs. */
import { intsAttribute } from "../graph.js";
import { float, type Raise, restated, text, withAttribute } from "./raise.js";

export const slice: Raise["raise"] = (node, { b }) => {
  const starts = intsAttribute(node, "starts") ?? [];
  const ends = intsAttribute(node, "ends") ?? [];
  const axes = intsAttribute(node, "axes") ?? starts.map((_, axis) => axis);
  return restated(node, [node.inputs[0] ?? "", b.ints(starts), b.ints(ends), b.ints(axes)], ["starts", "ends", "axes"]);
};

/** Opset 13: the lengths are input 1. */
export const splitLengths: Raise["raise"] = (node, { b }) => {
  const lengths = intsAttribute(node, "split");
  return lengths === null ? node : restated(node, [node.inputs[0] ?? "", b.ints(lengths)], ["split"]);
};

/** Opset 18: without lengths, the number of parts is said. */
export const splitParts: Raise["raise"] = (node) =>
  (node.inputs[1] ?? "") !== ""
    ? node
    : withAttribute(node, "num_outputs", { kind: "int", value: BigInt(node.outputs.length) });

export const pad: Raise["raise"] = (node, { b, scalar }) => {
  const data = node.inputs[0] ?? "";
  const fill = text(node, "mode", "constant") === "constant" ? float(node, "value", 0) : 0;
  const pads = b.ints(intsAttribute(node, "pads") ?? []);
  return restated(node, [data, pads, fill === 0 ? "" : scalar(fill, data)], ["pads", "value"]);
};
