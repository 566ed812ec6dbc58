/**
 * Replaces LSTM, GRU and RNN nodes of a main graph by ordinary operators, a few for each step, so that what
 * differentiates the graph needs no rule for them.
 */
import { GraphBuilder } from "./builder.js";
import { type Graph, intAttribute, type Node, nodeLabel } from "./graph.js";
import { literalValues } from "./literal.js";
import { adopted, rebuilt, valueNames, withSubgraphs } from "./rebuild.js";
import { activationsOf } from "./recurrent/activations.js";
import type { Cell } from "./recurrent/cell.js";
import { gru } from "./recurrent/gru.js";
import { directionsOf, type Lengths, unrollLayer } from "./recurrent/layer.js";
import { lstm } from "./recurrent/lstm.js";
import { rnn } from "./recurrent/rnn.js";
import type { ValueTypes } from "./value-type.js";

/** Longest sequence that is unrolled, and most nodes that it may make: sessions and gradients take longer with each. */
export const maxSteps = 512;
export const maxNodes = 50_000;

/** No cell makes more nodes in a step: an LSTM with peepholes, clipping and functions of three operators. */
const nodesPerStep = 32;

export interface Unrolled {
  /** The graph itself when nothing in it was unrolled. */
  readonly graph: Graph;
  /** Recurrent nodes that stay: their labels, and why as a clause. */
  readonly left: readonly { readonly node: string; readonly why: string }[];
}

const cells: ReadonlyMap<string, Cell> = new Map([
  ["GRU", gru],
  ["LSTM", lstm],
  ["RNN", rnn],
]);

/** Whether a node is one that can be unrolled. */
export const isRecurrent = ({ domain, op }: Node): boolean => domain === "" && cells.has(op);

/** `graph` with its recurrent nodes unrolled for the lengths in `types`. The graph's operator set is 21 or newer. */
export function unrollRecurrent(graph: Graph, types: ValueTypes): Unrolled {
  const b = new GraphBuilder("unrolled/", valueNames(graph));
  const left: { node: string; why: string }[] = [];
  let unrolled = 0;
  const made = rebuilt(graph, graph.parent, (copy) => {
    for (const node of graph.nodes) {
      const cell = isRecurrent(node) ? cells.get(node.op) : undefined;
      const why = cell === undefined ? null : unroll(node, cell, b, graph, types);
      if (cell !== undefined && why === null) {
        unrolled++;
        continue;
      }
      if (why !== null) left.push({ node: nodeLabel(node), why });
      b.node(withSubgraphs(node, (inner) => adopted(inner, copy)));
    }
    return { nodes: b.nodes, constants: new Map([...graph.constants, ...b.constants]) };
  });
  return { graph: unrolled === 0 ? graph : made, left };
}

/** Adds the steps of `node` to `b`; else says why not, with nothing added. */
function unroll(node: Node, cell: Cell, b: GraphBuilder, graph: Graph, types: ValueTypes): string | null {
  const ways = directionsOf(node);
  if (ways === null) return "its direction is not one of forward, reverse and bidirectional";
  const lengths = lengthsOf(node, types);
  if (typeof lengths === "string") return lengths;
  const { steps } = lengths;
  if (steps > maxSteps) return `it runs over ${steps} steps, and up to ${maxSteps} are unrolled`;
  const nodes = steps * ways.length * nodesPerStep;
  if (b.nodes.length + nodes > maxNodes) return `its ${steps} steps would make the graph larger than ${maxNodes} nodes`;
  const lens = node.inputs[4] ?? "";
  if (lens !== "" && !isFull(lens, steps, graph)) return "its sequences have lengths of their own (sequence_lens)";
  const functions = activationsOf(
    node,
    b,
    ways.flatMap(() => cell.activations),
  );
  if (typeof functions === "string") return `its activation ${functions} is not known`;
  if (functions.length !== ways.length * cell.activations.length)
    return `it has ${functions.length} activations instead of ${ways.length * cell.activations.length}`;
  unrollLayer(node, cell, b, lengths, functions);
  return null;
}

/** Lengths from the shapes of X and R; a clause where they are not to be had. */
function lengthsOf(node: Node, types: ValueTypes): Lengths | string {
  const [x = "", , r = ""] = node.inputs;
  const type = types.get(x);
  const recurrent = types.get(r)?.shape;
  if (type?.shape?.length !== 3 || recurrent?.length !== 3) return "its shapes are not known before it runs";
  if (type.dtype !== "float") return `its elements are ${type.dtype}, and only float ones are unrolled`;
  const batchFirst = intAttribute(node, "layout", 0) === 1;
  const [first, second] = type.shape as [number, number, number];
  const [steps, batch] = batchFirst ? [second, first] : [first, second];
  return steps === 0 ? "its sequence is empty" : { steps, batch, hidden: recurrent[2]! };
}

/** Whether sequence_lens says nothing: every sequence has all steps. */
function isFull(name: string, steps: number, graph: Graph): boolean {
  const constant = graph.constants.get(name);
  const lengths = constant === undefined ? null : literalValues(constant);
  return lengths?.every((length) => length === steps) === true;
}
