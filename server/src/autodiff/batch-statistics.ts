/**
 * Batch normalisation as it is in training: every BatchNormalization of inference gets the mean and the (biased)
 * variance of its own input instead of the stored ones. The gradient then passes through both, as SNIP and GraSP have it
 * at initialisation.
 */
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/graph.js";
import { elementCount } from "../graph/tensor.js";
import { rebuilt, valueNames } from "../graph/rebuild.js";
import type { ValueTypes } from "../graph/value-type.js";
import { besidesChannels, channelDots, perChannel } from "./channels.js";

/** `graph` with the batch's statistics; nodes whose input has a shape that depends on data stay as they are. */
export function withBatchStatistics(graph: Graph, types: ValueTypes): Graph {
  const b = new GraphBuilder("batch/", valueNames(graph));
  return rebuilt(graph, graph.parent, () => {
    for (const node of graph.nodes) {
      const [x = "", scale = "", bias = ""] = node.inputs;
      const shape = node.op === "BatchNormalization" && node.domain === "" ? (types.get(x)?.shape ?? null) : null;
      if (shape === null) {
        b.node(node);
        continue;
      }
      const mean = b.reduceMean(x, besidesChannels(shape));
      const centred = b.sub(x, perChannel(b, mean, shape));
      const variance = b.scale(channelDots(b, centred, centred, shape), shape[1]! / elementCount(shape));
      b.node({ ...node, inputs: [x, scale, bias, mean, variance] });
    }
    return { nodes: b.nodes, constants: new Map([...graph.constants, ...b.constants]) };
  });
}
