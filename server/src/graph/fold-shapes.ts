/**
 * Makes constants of what follows from shapes alone: targets of Reshape, bounds of Slice, widths of Pad. With the axes
 * bound they never change; as constants they let shapes be known ahead, and gradient rules see them.
 */
import { dataDependence } from "./data-dependence.js";
import type { Constant, Model } from "./graph.js";
import { reachable } from "./reachable.js";
import { rebuilt, valueNames } from "./rebuild.js";

/**
 * Elements of values of the main graph with the axes bound, as constants of these names. Those that are no whole
 * numbers, or very many, are left out.
 */
export type EvaluateShapes = (model: Model, values: readonly string[]) => Promise<ReadonlyMap<string, Constant>>;

/** `model` with whole numbers that follow from shapes as constants, and without the nodes that computed them. */
export async function foldShapes(model: Model, evaluate: EvaluateShapes): Promise<Model> {
  const { graph } = model;
  const { elements } = dataDependence(graph, "all-elements");
  const outputs = graph.outputs.map(({ name }) => name);
  const fixed = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((name) => name !== "" && !elements.has(name) && !outputs.includes(name));
  if (fixed.length === 0) return model;
  const constants = await evaluate(model, fixed);
  const taken = valueNames(graph);
  const unused = (name: string): string => {
    let other = `${name}/computed`;
    while (taken.has(other)) other += "'";
    taken.add(other);
    return other;
  };
  const folded = rebuilt(graph, graph.parent, () => ({
    // Whoever computed a constant gives it another name, and is left out when nothing else of it is used.
    nodes: graph.nodes.map((node) =>
      node.outputs.some((name) => constants.has(name))
        ? { ...node, outputs: node.outputs.map((name) => (constants.has(name) ? unused(name) : name)) }
        : node,
    ),
    constants: new Map([...graph.constants, ...constants]),
  }));
  return { ...model, graph: reachable(folded, outputs) };
}
