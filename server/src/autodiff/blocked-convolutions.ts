/**
 * Convolutions of the forward pass in blocks of channels. ONNX Runtime does this itself where weights are constants;
 * here they are inputs. For after differentiation, because blocks have no gradient.
 */
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, Node } from "../graph/graph.js";
import { rebuilt, valueNames } from "../graph/rebuild.js";
import type { ValueTypes } from "../graph/value-type.js";
import { blockedWeight, convBlocks, reorderInput } from "../runtime/blocked-conv.js";
import type { Kernels } from "../runtime/kernels.js";
import { Cotangents } from "./cotangents.js";
import { correlationOf } from "./gradients/conv.js";
import { paysInBlocks } from "./gradients/conv/blocks.js";
import { NodeSite } from "./site.js";
import { positive } from "./window.js";

/** `graph` with every float32 convolution of known shapes in blocks where that is faster. Values keep their names. */
export function withBlockedConvolutions(graph: Graph, types: ValueTypes, kernels: Kernels): Graph {
  const { nchwc: size } = kernels;
  if (size === null) return graph;
  const b = new GraphBuilder("blocked/", valueNames(graph));
  const add = (node: Node): void => {
    const known = [...node.inputs.slice(0, 2), ...node.outputs].every((name) => {
      const type = types.get(name);
      return type?.dtype === "float" && type.shape !== null;
    });
    if (node.op !== "Conv" || node.domain !== "" || !known) {
      b.node(node);
      return;
    }
    const site = new NodeSite(node, graph, b, new Cotangents(b, types), [], { types, kernels, twice: false });
    const c = correlationOf(site);
    if (!paysInBlocks(c, kernels)) {
      b.node(node);
      return;
    }
    const { kernel, strides, dilations, group } = c;
    const weight = blockedWeight(b, size, c, site.input(1), kernel);
    const inputs = [reorderInput(b, site.input(0)), weight, ...(site.has(2) ? [site.input(2)] : [])];
    const pads = [...c.begin, ...positive(c.end)];
    const made = convBlocks(b, inputs, { kernel_shape: kernel, strides, dilations, pads, group });
    const attributes = new Map([["channels", { kind: "int" as const, value: BigInt(group * c.maps) }]]);
    b.node({ ...node, op: "ReorderOutput", domain: "com.microsoft.nchwc", inputs: [made], attributes });
  };
  return rebuilt(graph, graph.parent, () => {
    graph.nodes.forEach(add);
    return { nodes: b.nodes, constants: new Map([...graph.constants, ...b.constants]) };
  });
}
