/**
 * Types of values whose shape ONNX Runtime does not infer: shapes that a graph computes (Shape, Gather, Concat, Reshape)
 * are fixed once the inputs are bound, but only a run tells them. One is made, and nothing but shapes comes out of it.
 */
import { GraphBuilder } from "../graph/builder.js";
import { dataDependence } from "../graph/data-dependence.js";
import type { Model } from "../graph/graph.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import type { ValueType, ValueTypes } from "../graph/value-type.js";
import { type Feeds, Program, type ProgramOptions } from "./program.js";
import { valueTypes } from "./shapes.js";

export interface ObservedTypesOptions extends Pick<ProgramOptions, "constant" | "inputShapes" | "threads"> {
  readonly feeds: Feeds;
  /** Whether values without axes are looked at too: ONNX Runtime says the same of values whose rank it does not know. */
  readonly doubtScalars?: boolean;
}

/**
 * Types of the main graph's values at the given shapes; what is `known` is not looked for again. Shapes that depend on the elements of the data stay unknown.
 * @throws PruneScopeError what ONNX Runtime does not take.
 */
export async function observedTypes(
  model: Model,
  options: ObservedTypesOptions,
  known?: ValueTypes,
): Promise<ValueTypes> {
  const { inputShapes, threads, feeds, doubtScalars = false } = options;
  const types = await valueTypes(model, inputShapes, threads, known);
  const { shapes: unfixed } = dataDependence(model.graph);
  const given = new Set([...inputShapes.keys(), ...model.graph.constants.keys()]);
  const isOpen = (name: string, shape: readonly number[] | null): boolean =>
    shape === null || (doubtScalars && shape.length === 0 && !given.has(name));
  const asked = [...types].flatMap(([name, { shape }]) => (isOpen(name, shape) && !unfixed.has(name) ? [name] : []));
  if (asked.length === 0) return types;
  const b = new GraphBuilder("shape/", valueNames(model.graph));
  const shapeOf = new Map(asked.map((name) => [name, b.op("Shape", [name])]));
  const outputs = [...shapeOf.values()];
  const graph = reachable({ ...model.graph, nodes: [...model.graph.nodes, ...b.nodes] }, outputs);
  const program = await Program.open(model, graph, { ...options, outputs, optimise: true });
  try {
    const made = await program.run(feeds);
    const observed = new Map<string, ValueType>(types);
    for (const [name, shape] of shapeOf) {
      const dims = Array.from(made[shape]!.data as BigInt64Array, Number);
      observed.set(name, { ...types.get(name)!, shape: dims });
    }
    return observed;
  } finally {
    await program.close();
  }
}
