/** Whether a model's BatchNormalization layers have seen data. */
import type { Source } from "../formats/source.js";
import { type Graph, operatorLabel } from "../graph/graph.js";
import { constantTensor } from "./constant-tensor.js";

/** `fresh`: every layer has the scale, shift, mean and variance of initialisation; `none`: there is no such layer. */
export type BatchNormState = "none" | "fresh" | "trained";

/** Scale, shift, mean and variance of a layer that has seen no data. */
const initial = [1, 0, 0, 1] as const;

/** Looks at the BatchNormalization layers of a flat graph. */
export async function batchNormState(graph: Graph, source: Source): Promise<BatchNormState> {
  const layers = graph.nodes.filter((node) => operatorLabel(node) === "BatchNormalization");
  for (const layer of layers) {
    for (const [i, expected] of initial.entries()) {
      const constant = graph.constants.get(layer.inputs[i + 1] ?? "");
      if (constant === undefined) return "trained";
      const { data } = await constantTensor(source, constant);
      if (!Array.from(data as ArrayLike<number>).every((value) => value === expected)) return "trained";
    }
  }
  return layers.length === 0 ? "none" : "fresh";
}
