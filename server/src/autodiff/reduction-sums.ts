/** What a criterion sums over the runs of its data, as more nodes: what leaves the engine is one number for each weight, once. */
import { GraphBuilder, type Value } from "../graph/builder.js";
import type { Graph, ValueInfo } from "../graph/graph.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import { extended, type Plan, type Reduction } from "./plan.js";

/** What is summed of one weight over the runs. */
export interface Sum {
  /** Index of the weight. */
  readonly index: number;
  /** Input: the sum over the runs before. */
  readonly before: Value;
  /** The sum with this run. */
  readonly sum: Value;
  /** What the reduction makes of the mean, once this run is the last. */
  readonly result: Value;
}

/** `graph` with the sums of what `reduction` takes of `values`, one for each weight that is scored. */
export function withSums(
  plan: Plan,
  graph: Graph,
  values: readonly Value[],
  reduction: Reduction,
  runs: number,
): { readonly graph: Graph; readonly outputs: readonly Value[]; readonly entries: readonly Sum[] } {
  const b = new GraphBuilder("score/", valueNames(graph));
  const inputs: ValueInfo[] = [];
  const entries = plan.scored.map(({ value, index }, i): Sum => {
    const term = reduction.step(b, value, values[i]!);
    const before = b.fresh("before");
    if (runs === 1) return { index, before, sum: term, result: reduction.finish(b, value, term) };
    // Before the first run it is the scalar 0, so its shape is left open.
    inputs.push({ name: before, dtype: "float", shape: null });
    const sum = b.add(term, before);
    return { index, before, sum, result: reduction.finish(b, value, b.scale(sum, 1 / runs)) };
  });
  const outputs = [plan.loss, ...entries.flatMap(({ sum, result }) => (runs === 1 ? [result] : [sum, result]))];
  return { graph: reachable(extended(graph, b, inputs), outputs), outputs, entries };
}
