/**
 * Shapes of all values, from the runtime itself: every intermediate value is marked as an output without a type, a
 * session is made of the structure alone (large weights are inputs, nothing is optimised), and its output metadata
 * read. No shape inference of our own.
 */
import type { Dim, DType } from "../../protocol/model.js";
import type { DynamicAxes } from "../../protocol/requests.js";
import type { Model } from "../graph/graph.js";
import type { ValueType, ValueTypes } from "../graph/value-type.js";
import { encodeModel } from "./encode.js";
import { boundShapes } from "./inputs.js";
import { openSession } from "./session.js";

/**
 * Shapes of the main graph's values with dynamic axes bound, by name.
 * @throws PruneScopeError `unsupported-op` or `unsupported-format` when ONNX Runtime does not take the model.
 */
export async function valueShapes(
  model: Model,
  axes: DynamicAxes,
  threads: number,
): Promise<Map<string, readonly Dim[]>> {
  const shapes = new Map<string, readonly Dim[]>();
  for (const { name, shape } of await metadata(model, boundShapes(model.graph.inputs, axes), threads))
    shapes.set(name, shape);
  return shapes;
}

/**
 * Element types and shapes of the main graph's values, inputs and constants among them, for inputs of the given shapes.
 * Types that are `known` help to infer those of values made from them.
 * @throws PruneScopeError `unsupported-op` or `unsupported-format` when ONNX Runtime does not take the model.
 */
export async function valueTypes(
  model: Model,
  inputShapes: ReadonlyMap<string, readonly number[]>,
  threads: number,
  known: ValueTypes = new Map(),
): Promise<Map<string, ValueType>> {
  const types = new Map<string, ValueType>();
  for (const { name, dtype } of model.graph.inputs) types.set(name, { dtype, shape: inputShapes.get(name) ?? null });
  for (const { name, tensor, sparse } of model.graph.constants.values())
    types.set(name, { dtype: tensor.dtype, shape: sparse?.shape ?? tensor.shape });
  for (const { name, dtype, shape } of await metadata(model, inputShapes, threads, known)) {
    const fixed = shape.every((dim): dim is number => typeof dim === "number");
    types.set(name, { dtype, shape: fixed ? shape : null });
  }
  return types;
}

interface ValueMetadata {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

async function metadata(
  model: Model,
  inputShapes: ReadonlyMap<string, readonly Dim[]>,
  threads: number,
  known?: ValueTypes,
): Promise<ValueMetadata[]> {
  const extraOutputs = model.graph.nodes.flatMap((node) => node.outputs.filter((output) => output !== ""));
  const { bytes } = encodeModel(model, {
    extraOutputs,
    inputShapes,
    ...(known === undefined ? {} : { known }),
  });
  const session = await openSession(bytes, { threads, optimise: false });
  try {
    return session.outputMetadata.flatMap((output) =>
      output.isTensor
        ? [
            {
              name: output.name,
              dtype: dtypeOf(output.type),
              shape: output.shape.map((dim) => (dim === "" ? null : dim)),
            },
          ]
        : [],
    );
  } finally {
    await session.release();
  }
}

/** ONNX Runtime's name of an element type as ours. */
const dtypeOf = (type: string): DType =>
  type === "float32" ? "float" : type === "float64" ? "double" : (type as DType);
