/**
 * Shapes of all values, from the runtime itself: every intermediate value is marked as an output without a type, a
 * session is made of the structure alone (large weights are inputs, nothing is optimised), and its output metadata
 * read. No shape inference of our own.
 */
import type { Dim } from "../../protocol/model.js";
import type { DynamicAxes } from "../../protocol/requests.js";
import type { Model } from "../graph/graph.js";
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
  const extraOutputs = model.graph.nodes.flatMap((node) => node.outputs.filter((output) => output !== ""));
  const { bytes } = encodeModel(model, { extraOutputs, inputShapes: boundShapes(model.graph.inputs, axes) });
  const session = await openSession(bytes, { threads, optimise: false });
  try {
    const shapes = new Map<string, readonly Dim[]>();
    for (const output of session.outputMetadata)
      if (output.isTensor)
        shapes.set(
          output.name,
          output.shape.map((dim) => (dim === "" ? null : dim)),
        );
    return shapes;
  } finally {
    await session.release();
  }
}
