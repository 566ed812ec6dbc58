/** Clip and Dropout. */
import type { Node } from "../graph.js";
import { float, type Raise, restated } from "./raise.js";

/** Largest float32: the bounds of Clip that bound nothing. */
const largest = 3.4028234663852886e38;

/** Opset 11: the bounds are inputs. */
export const clip: Raise["raise"] = (node, { scalar }) => {
  const data = node.inputs[0] ?? "";
  const low = float(node, "min", -largest);
  const high = float(node, "max", largest);
  return restated(
    node,
    [data, low <= -largest ? "" : scalar(low, data), high >= largest ? "" : scalar(high, data)],
    ["min", "max"],
  );
};

/** Before opset 12 a Dropout in an inference model passes its input on; only one whose mask is used stays a Dropout. */
export const dropout: Raise["raise"] = (node, { b }): Node => {
  if ((node.outputs[1] ?? "") === "")
    return { ...node, op: "Identity", outputs: node.outputs.slice(0, 1), attributes: new Map() };
  return restated(node, [node.inputs[0] ?? "", b.scalar(float(node, "ratio", 0.5))], ["ratio"]);
};
