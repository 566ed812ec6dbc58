/** Job `shapes`: output shapes of the layers, from ONNX Runtime. */
import type { Dim, LayerId } from "../../protocol/model.js";
import type { OpenParams, ShapesResult } from "../../protocol/requests.js";
import { valueShapes } from "../runtime/shapes.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";

export async function shapes({ path, dynamicAxes }: OpenParams, context: JobContext): Promise<ShapesResult> {
  context.progress({ stage: "Asking ONNX Runtime for shapes", done: 0, total: 0 });
  return withModel(path, async ({ model, search }) => {
    const known = await valueShapes(model, dynamicAxes, context.settings.threads);
    const outputs: Record<LayerId, readonly Dim[]> = {};
    for (const weight of search.weights) {
      const { node, graph } = weight.uses[0]!;
      const shape = graph.parent === null ? known.get(node.outputs[0] ?? "") : undefined;
      if (shape !== undefined) outputs[weight.id] = shape;
    }
    return { outputs };
  });
}
