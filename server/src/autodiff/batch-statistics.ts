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
      // As (x − mean) · factor, not as x · factor − mean · factor, which cancels where the mean is large.
      const epsilon = node.attributes.get("epsilon");
      const added = b.add(variance, b.scalar(epsilon?.kind === "float" ? epsilon.value : 1e-5));
      const factor = b.div(scale, b.op("Sqrt", [added]));
      const scaled = b.mul(centred, perChannel(b, factor, shape));
      b.node({ ...node, op: "Add", inputs: [scaled, perChannel(b, bias, shape)], attributes: new Map() });
    }
    return { nodes: b.nodes, constants: new Map([...graph.constants, ...b.constants]) };
  });
}
