/** The weighted sums of a flat graph whose weights are inputs, and which layer's signal each one takes. */
import type { Value } from "../graph/builder.js";
import type { Graph, Node } from "../graph/graph.js";
import { linksOf } from "../graph/links.js";
import { activations, movers } from "../graph/operator-kinds.js";
import { type WeightedSum, weightedSum, weightUses } from "../graph/weighted-sum.js";

export interface LayerSum extends WeightedSum {
  /** Index of the weight. */
  readonly layer: number;
  /** Index of the nearest layer whose sum enters this one; null for the first of a path. */
  readonly previous: number | null;
  /** Between the two nothing mixes elements or joins paths: what the theory's recursion describes. */
  readonly direct: boolean;
}

/** They leave every element as it is. */
const moving: ReadonlySet<string> = new Set([...movers, "Dropout"]);
/** Activations, and what they are spelt out in. */
const pointwise: ReadonlySet<string> = new Set([
  ...activations,
  ...["Add", "Div", "Erf", "Exp", "Log", "Mul", "Pow", "Sin", "Sqrt", "Sub"],
]);

/** @param weights input that stands for each weight; null for a weight that has none. A tied weight's first use counts. */
export function layerSums(graph: Graph, weights: readonly (Value | null)[]): readonly LayerSum[] {
  const links = linksOf(graph);
  const place = new Map<Node, number>(graph.nodes.map((node, i) => [node, i]));
  const sums = weights.flatMap((value, layer) => {
    const [use] = value === null ? [] : weightUses(links, value);
    const sum = use === undefined ? null : weightedSum(links, use.node, use.index);
    return sum === null ? [] : [{ ...sum, layer }];
  });
  const owner = new Map(sums.map((sum) => [sum.preActivation, sum]));
  return sums.map((sum): LayerSum => {
    // Backwards from the input, stopping at other layers' sums.
    let nearest: (typeof sums)[number] | null = null;
    let direct = true;
    let met = 0;
    const seen = new Set<Value>();
    const open = [sum.input];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (seen.has(value)) continue;
      seen.add(value);
      const other = owner.get(value);
      if (other !== undefined) {
        met++;
        if (nearest === null || place.get(other.node)! > place.get(nearest.node)!) nearest = other;
        continue;
      }
      const node = links.producer.get(value);
      if (node === undefined) {
        if (!graph.constants.has(value)) met++;
        continue;
      }
      if (!moving.has(node.op) && !pointwise.has(node.op)) direct = false;
      open.push(...node.inputs.filter((name) => name !== ""));
    }
    return { ...sum, previous: nearest?.layer ?? null, direct: direct && nearest !== null && met === 1 };
  });
}
