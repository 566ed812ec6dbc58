/** Raised to operator set 21, every real model computes what it computed before. */
import { expect, test } from "vitest";
import { readOnnx } from "../../../server/src/formats/onnx/read.js";
import { Source } from "../../../server/src/formats/source.js";
import { modernise, modernOpset } from "../../../server/src/graph/modernise/index.js";
import { allGraphs } from "../../../server/src/graph/traversal.js";
import { syntheticInput } from "../../../server/src/runtime/inputs.js";
import { valueShapes } from "../../../server/src/runtime/shapes.js";
import { realModelPath, realModels } from "../../cases/real-models.js";
import { realModelAxes } from "../../cases/real-model-axes.js";
import { relativeDifference, runModel } from "../../support/run-model.js";

test.each(realModels)("$file", async (real) => {
  const source = new Source(realModelPath(real));
  try {
    const model = readOnnx(source);
    const shapes = await valueShapes(model, realModelAxes, 1);
    const raised = modernise(model, new Map([...shapes].map(([name, shape]) => [name, shape.length])));
    expect(raised.opsets.get("")).toBe(modernOpset);
    const { feeds } = await syntheticInput(model.graph.inputs, realModelAxes, 5);
    const difference = relativeDifference(await runModel(model, feeds, source), await runModel(raised, feeds, source));
    // The same kernels on the same numbers; a few operators are other kernels from some operator set on (float32 rounding).
    expect(difference).toBeLessThanOrEqual(1e-6);
    const constants = new Set([...allGraphs(raised.graph)].flatMap((graph) => [...graph.constants.values()]));
    for (const graph of allGraphs(model.graph))
      for (const constant of graph.constants.values()) expect(constants.has(constant)).toBe(true);
    for (const graph of allGraphs(raised.graph))
      for (const node of graph.nodes)
        for (const attribute of node.attributes.values())
          if (attribute.kind === "graph") expect(attribute.value.parent).toBe(graph);
  } finally {
    source.close();
  }
});
