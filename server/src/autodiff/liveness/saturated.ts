/**
 * Zeros and ones all the way: behind every operator of a linear network, and of its backward pass, that adds or weighs,
 * what is above 0 becomes 1. Nothing is negative there, so no sum cancels, and no value can grow or fade, however deep
 * the network is.
 */
import { GraphBuilder } from "../../graph/builder.js";
import { type Graph, type Node, operatorLabel } from "../../graph/graph.js";
import { attributes, castTo } from "../../graph/literal.js";
import { rebuilt, valueNames } from "../../graph/rebuild.js";

/** Operators of linear networks and of gradients that change what is not 0 to another number; all others move it. */
const weighing = new Set([
  ...["Add", "AveragePool", "Conv", "ConvTranspose", "CumSum", "Div", "Gemm", "GlobalAveragePool", "MatMul", "Mul"],
  ...["ReduceL1", "ReduceMean", "ReduceSum", "Resize", "ScatterElements", "Sum", "com.microsoft.FusedMatMul"],
]);

/** `graph` with its values saturated, except what the nodes `untouched` compute. Values keep their names. */
export function saturated(graph: Graph, untouched: ReadonlySet<Node>): Graph {
  const b = new GraphBuilder("live/", valueNames(graph));
  /** Adds `node`, with the sign of its output in the output's place. */
  const signed = (node: Node): void => {
    const raw = b.fresh(node.op);
    b.node({ ...node, outputs: [raw] });
    b.node({ name: raw, op: "Sign", domain: "", inputs: [raw], outputs: node.outputs, attributes: new Map() });
  };
  return rebuilt(graph, graph.parent, () => {
    for (const node of graph.nodes) {
      if (untouched.has(node)) b.node(node);
      else if (weighing.has(operatorLabel(node))) signed(node);
      else if (node.op === "Abs") {
        // Magnitudes of constants, which may be NaN or infinite: factors that are not 0.
        const truth = b.cast(node.inputs[0]!, castTo("bool"));
        b.node({ ...node, op: "Cast", inputs: [truth], attributes: attributes({ to: castTo("float") }) });
      } else b.node(node);
    }
    return { nodes: b.nodes, constants: new Map([...graph.constants, ...b.constants]) };
  });
}
