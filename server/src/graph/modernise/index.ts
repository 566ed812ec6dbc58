/**
 * Raises a model to operator set 21, so that whoever works on its graph knows one form of each operator. Values keep
 * their names, and constants of the file stay the same objects.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { GraphBuilder } from "../builder.js";
import { type Constant, type Graph, intAttribute, type Model, type Node } from "../graph.js";
import { castTo } from "../literal.js";
import { rebuilt, valueNames, withSubgraphs } from "../rebuild.js";
import { allGraphs, allNodes } from "../traversal.js";
import type { Raise, Site } from "./raise.js";
import { changes } from "./table.js";

/** The operator set that models are raised to; newer ones stay as they are. */
export const modernOpset = 21;

/** Models of older operator sets have other rules for broadcasting. */
const oldestOpset = 7;

/**
 * `model` in the form of operator set 21, or of its own where that is newer.
 * @param ranks number of axes of values of the main graph, where they are known: a Softmax of an old operator set along
 * the last axis then stays one node.
 * @throws PruneScopeError `unsupported-op` for operator sets older than 7, and for nodes that have no form in newer ones.
 */
export function modernise(model: Model, ranks: ReadonlyMap<string, number> = new Map()): Model {
  const opset = model.opsets.get("") ?? modernOpset;
  if (opset < oldestOpset) {
    throw new PruneScopeError(
      "unsupported-op",
      `The model uses opset ${opset}; opset ${oldestOpset} and up can be analysed. Convert it with onnx.version_converter.`,
      { opset },
    );
  }
  if (opset >= modernOpset) return model;
  const due = new Map<string, Raise[]>();
  for (const change of changes) {
    if (change.opset > opset) due.set(change.op, [...(due.get(change.op) ?? []), change]);
  }
  const context = { due, ranks, taken: valueNames(model.graph), onlyFloat32: hasOnlyFloat32(model.graph) };
  return {
    ...model,
    // The version of the file format that goes with the operator set.
    irVersion: Math.max(10, model.irVersion),
    opsets: new Map([...model.opsets, ["", modernOpset]]),
    graph: raised(model.graph, null, context, []),
  };
}

interface Context {
  readonly due: ReadonlyMap<string, readonly Raise[]>;
  readonly ranks: ReadonlyMap<string, number>;
  readonly taken: ReadonlySet<string>;
  readonly onlyFloat32: boolean;
}

/** `around` are the constants of the graphs that this one lies in, the nearest first. */
function raised(
  graph: Graph,
  parent: Graph | null,
  context: Context,
  around: readonly ReadonlyMap<string, Constant>[],
): Graph {
  const b = new GraphBuilder(graph.path === "" ? "modern/" : `${graph.path}/modern/`, context.taken);
  const visible = [graph.constants, ...around];
  const site: Site = {
    b,
    constant: (name) => visible.find((constants) => constants.has(name))?.get(name) ?? null,
    rank: (name) => (graph.parent === null ? (context.ranks.get(name) ?? null) : null),
    scalar: (value, like) => (context.onlyFloat32 ? b.scalar(value) : b.op("CastLike", [b.scalar(value), like])),
  };
  return rebuilt(graph, parent, (made) => {
    for (const node of graph.nodes) {
      let now: Node = withSubgraphs(node, (inner) => raised(inner, made, context, visible));
      // What became another operator on the way is in that one's newest form.
      const due = node.domain === "" ? context.due.get(node.op) : undefined;
      for (const { op, raise } of due ?? []) if (now.op === op) now = raise(now, site);
      b.node(now);
    }
    return { nodes: b.nodes, constants: new Map([...graph.constants, ...b.constants]) };
  });
}

/** Whether no value of the graph can be a float of another width than 32 bits. */
function hasOnlyFloat32(graph: Graph): boolean {
  const other = new Set(["double", "float16", "bfloat16"]);
  const codes = new Set([castTo("double"), castTo("float16"), castTo("bfloat16")]);
  for (const { inputs, constants } of allGraphs(graph)) {
    if (inputs.some(({ dtype }) => other.has(dtype))) return false;
    for (const { tensor } of constants.values()) if (other.has(tensor.dtype)) return false;
  }
  for (const { node } of allNodes(graph)) {
    if (codes.has(intAttribute(node, "to", 0)) || codes.has(intAttribute(node, "dtype", 0))) return false;
  }
  return true;
}
