/**
 * Shapes that a graph computes (from the shape of an input, say) as numbers in it. ONNX Runtime infers shapes without
 * running anything, so behind a Reshape or Expand to a computed shape it knows none; here the model runs once, and what
 * does not depend on data becomes constants.
 */
import type { Graph, Model } from "../graph/graph.js";
import { dataDependence } from "../graph/data-dependence.js";
import { literal } from "../graph/literal.js";
import { reachable } from "../graph/reachable.js";
import { rebuilt } from "../graph/rebuild.js";
import type { ValueTypes } from "../graph/value-type.js";
import { type Feeds, Program, type ProgramOptions } from "./program.js";

/** How the model is run. */
export interface Circumstances extends Pick<ProgramOptions, "constant" | "inputShapes" | "threads"> {
  /** Any values of the inputs: those that are no floats decide like the real ones. */
  readonly feeds: Feeds;
}

/**
 * `model` with whole numbers in the place of nodes that compute them from shapes and constants; `model` itself when all
 * shapes are known already.
 */
export async function withFixedShapes(
  model: Model,
  types: ValueTypes,
  { feeds, ...options }: Circumstances,
): Promise<Model> {
  const { graph } = model;
  if ([...types.values()].every(({ shape }) => shape !== null)) return model;
  const { elements, shapes } = dataDependence(graph);
  const isFixed = (value: string): boolean => {
    const dtype = types.get(value)?.dtype;
    return !elements.has(value) && !shapes.has(value) && (dtype === "int64" || dtype === "int32");
  };
  const outputs = graph.nodes.flatMap((node) => node.outputs).filter((output) => output !== "" && isFixed(output));
  const read = outputsRead(graph, new Set(outputs));
  if (read.length === 0) return model;
  const program = await Program.open(model, reachable(graph, read), { ...options, outputs: read, optimise: true });
  try {
    const made = await program.run(feeds);
    const constants = read.map((name) => {
      const { data, dims, type } = made[name]!;
      const values = Array.from(data as ArrayLike<number | bigint>, Number);
      return literal(name, type === "int64" ? "int64" : "int32", dims, values);
    });
    const gone = new Set(read);
    return {
      ...model,
      graph: rebuilt(graph, graph.parent, () => ({
        constants: new Map([...graph.constants, ...constants.map((one) => [one.name, one] as const)]),
        nodes: graph.nodes.filter((node) => !node.outputs.some((output) => gone.has(output))),
      })),
    };
  } finally {
    await program.close();
  }
}

/** Those of `fixed` that a node reads which makes something else: the others vanish with their readers. */
function outputsRead(graph: Graph, fixed: ReadonlySet<string>): string[] {
  const read = new Set<string>();
  for (const node of graph.nodes) {
    if (node.outputs.every((output) => output === "" || fixed.has(output))) continue;
    for (const input of node.inputs) if (fixed.has(input)) read.add(input);
  }
  for (const { name } of graph.outputs) if (fixed.has(name)) read.add(name);
  return [...read];
}
