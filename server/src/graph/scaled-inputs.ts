/** A graph in memory with some inputs of its nodes multiplied by constants. */
import type { DType } from "../../protocol/model.js";
import { GraphBuilder } from "./builder.js";
import type { Graph, Node } from "./graph.js";
import { castTo } from "./literal.js";
import { adopted, rebuilt, valueNames, withSubgraphs } from "./rebuild.js";

/** A node's input that is multiplied by a constant. */
export interface ScaledInput {
  readonly node: Node;
  readonly input: number;
  readonly factor: number;
  readonly dtype: DType;
}

/** A copy of `graph` with a Mul in front of each of these inputs of its own nodes; factors are rounded by the runtime. */
export function withScaledInputs(graph: Graph, scales: readonly ScaledInput[]): Graph {
  const builder = new GraphBuilder("scaled_", valueNames(graph));
  return rebuilt(graph, graph.parent, (made) => {
    for (const node of graph.nodes) {
      const inputs = [...node.inputs];
      for (const { input, factor, dtype } of scales.filter((scale) => scale.node === node)) {
        const constant =
          dtype === "double"
            ? builder.literal("double", [], [factor])
            : builder.cast(builder.scalar(factor), castTo(dtype));
        inputs[input] = builder.mul(inputs[input]!, constant);
      }
      builder.node({ ...withSubgraphs(node, (inner) => adopted(inner, made)), inputs });
    }
    return { nodes: builder.nodes, constants: new Map([...graph.constants, ...builder.constants]) };
  });
}
