/** How many elements of each weight lie on a path, counted inside the engine: what leaves it is one number a weight. */
import { GraphBuilder, type Value } from "../../graph/builder.js";
import type { Graph, Node } from "../../graph/graph.js";
import { castTo, literalValues } from "../../graph/literal.js";
import { valueNames } from "../../graph/rebuild.js";
import { dependencies } from "../../graph/traversal.js";
import type { Plan } from "../linearise/plan.js";
import type { Place } from "./masked.js";

export interface Counted {
  readonly graph: Graph;
  /** Number of effective elements, by the weight's index. */
  readonly counts: ReadonlyMap<number, Value>;
}

/**
 * `graph` with the number of effective elements of each weight that has shares, but of those with an index in `without`.
 * Summed as int32, since float32 counts to 2²⁴ only.
 */
export function counted(graph: Graph, plan: Plan, places: readonly Place[], without: ReadonlySet<number>): Counted {
  const b = new GraphBuilder("count/", valueNames(graph));
  const joined = joinedTaps(plan.graph);
  const counts = new Map<number, Value>();
  places.forEach(({ index, value }, at) => {
    const share = plan.shares[at] ?? null;
    if (share === null || without.has(index)) return;
    const taps = joined(value, share);
    const live = taps === null ? share : b.mul(b.reduceSum(value, taps.axes, true), taps.gradient);
    counts.set(index, b.op("ReduceSum", [b.cast(live, castTo("int32"))], { keepdims: 0 }));
  });
  const constants = new Map([...graph.constants, ...b.constants]);
  return { graph: { ...graph, constants, nodes: [...graph.nodes, ...b.nodes] }, counts };
}

interface JoinedTaps {
  readonly axes: readonly number[];
  /** Of the sum over these axes, which stay with length 1. */
  readonly gradient: Value;
}

/**
 * Of a weight that only enters as the sum over its taps, as convolutions have it: the taps are alike, so the kept ones of
 * each pair of channels are counted first, and the rest is smaller by as many.
 */
function joinedTaps(graph: Graph): (weight: Value, share: Value) => JoinedTaps | null {
  const producers = new Map<Value, Node>();
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    for (const name of dependencies(node)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return (weight, share) => {
    const product = producers.get(share);
    const spread = producers.get(product?.inputs[1] ?? "");
    const [sum, ...others] = (readers.get(weight) ?? []).filter((node) => node !== product);
    if (spread?.op !== "Expand" || sum?.op !== "ReduceSum" || others.length > 0) return null;
    const axes = graph.constants.get(sum.inputs[1] ?? "");
    const values = axes === undefined ? null : literalValues(axes);
    const kept = sum.attributes.get("keepdims");
    if (values === null || kept?.kind !== "int" || kept.value !== 1n) return null;
    return { axes: values, gradient: spread.inputs[0]! };
  };
}
