/** Small graphs for tests of the gradient engine: read like any file, differentiated, and run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { differentiate, type Differentiated } from "../../server/src/autodiff/differentiate.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import type { Graph, Model } from "../../server/src/graph/graph.js";
import { modernise } from "../../server/src/graph/modernise/index.js";
import type { ValueTypes } from "../../server/src/graph/value-type.js";
import type { Kernels } from "../../server/src/runtime/kernels.js";
import { Program } from "../../server/src/runtime/program.js";
import { valueTypes } from "../../server/src/runtime/shapes.js";
import { type GraphParts, model, writeModel } from "./models.js";

/** The model of a graph, read from a file and raised to the operator set that rules know. */
export function graphModel(parts: GraphParts, opset = 21): Model {
  const folder = mkdtempSync(join(tmpdir(), "prunescope-graph-"));
  const domains = { "com.microsoft": 1, "com.microsoft.nchwc": 1 };
  const source = new Source(writeModel(join(folder, "graph.onnx"), model({ opset, domains, graph: parts })));
  try {
    return modernise(readOnnx(source));
  } finally {
    source.close();
    rmSync(folder, { recursive: true });
  }
}

/** Types of all values of a model whose inputs have fixed shapes. */
export const typesOf = (made: Model): Promise<ValueTypes> =>
  valueTypes(made, new Map(made.graph.inputs.map(({ name, shape }) => [name, shape as readonly number[]])), 1);

export interface BackwardOptions {
  readonly kernels?: Kernels;
  readonly twice?: boolean;
  readonly prefix?: string;
}

/** The main graph of a model with the gradients of `loss`. */
export async function backward(
  made: Model,
  loss: string,
  by: readonly string[],
  { kernels = { nchwc: null }, twice = false, prefix = "d/" }: BackwardOptions = {},
): Promise<Differentiated> {
  return differentiate(made.graph, { loss, by, types: await typesOf(made), kernels, twice, prefix });
}

/** Opens a graph for some of its values. */
export const open = (made: Model, graph: Graph, outputs: readonly string[]): Promise<Program> =>
  Program.open(made, graph, {
    outputs,
    inputShapes: new Map(),
    threads: 1,
    optimise: true,
    constant: () => Promise.reject(new Error("these graphs have small constants only")),
  });

/** Float inputs of a graph by name. */
export type Inputs = ReadonlyMap<string, Float32Array>;

/** Inputs in the shapes that the graph gives them. */
export const tensorsOf = (graph: Graph, inputs: Inputs): Record<string, ort.Tensor> =>
  Object.fromEntries(
    graph.inputs.flatMap(({ name, shape }) => {
      const data = inputs.get(name);
      return data === undefined ? [] : [[name, new ort.Tensor("float32", data, shape as number[])]];
    }),
  );

/** Elements of `values` of a graph. */
export async function evaluate(
  made: Model,
  graph: Graph,
  values: readonly string[],
  inputs: Inputs,
): Promise<Map<string, Float32Array>> {
  const program = await open(made, graph, values);
  try {
    const result = await program.run(tensorsOf(graph, inputs));
    return new Map(values.map((name) => [name, result[name]!.data as Float32Array]));
  } finally {
    await program.close();
  }
}
