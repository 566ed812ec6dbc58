/** A forward pass whose convolutions are in blocks of channels computes the same. */
import { expect, it } from "vitest";
import { withBlockedConvolutions } from "../../server/src/autodiff/blocked-convolutions.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { plainKernels, probeKernels } from "../../server/src/runtime/kernels.js";
import { evaluate, graphModel, typesOf } from "../support/backward.js";
import { node, normals, value } from "../support/models.js";

const shapes = { x: [2, 16, 28, 28], w: [32, 16, 3, 3], bias: [32], alone: [32, 1, 3, 3], few: [7, 32, 1, 1] };

const model = graphModel({
  inputs: Object.entries(shapes).map(([name, shape]) => value(name, "float", shape)),
  outputs: [value("y", "float", [2, 7, 14, 14])],
  nodes: [
    node("Conv", ["x", "w", "bias"], ["a"], { pads: [1, 1, 1, 1] }),
    node("Relu", ["a"], ["b"]),
    node("Conv", ["b", "alone"], ["c"], { group: 32, strides: [2, 2], auto_pad: "SAME_UPPER" }),
    node("Conv", ["c", "few"], ["y"]),
  ],
});

it("keeps the values under their names", async () => {
  const kernels = await probeKernels(1);
  const graph = withBlockedConvolutions(model.graph, await typesOf(model), kernels);
  const plain = graph.nodes.filter(({ op, domain }) => op === "Conv" && domain === "").length;
  // The last one's seven maps fill no block.
  expect(plain).toBe(kernels.nchwc === null ? 3 : 1);
  const inputs = new Map(
    Object.entries(shapes).map(([name, shape], i) => [name, Float32Array.from(normals(i + 1, elementCount(shape)))]),
  );
  const names = ["a", "c", "y"];
  const expected = await evaluate(model, model.graph, names, inputs);
  const found = await evaluate(model, graph, names, inputs);
  for (const name of names) {
    const [a, c] = [expected.get(name)!, found.get(name)!];
    // Sums of up to 144 products of size 1, of 9, and of 32 of those: values up to 300, with 24 bits each.
    expect(Math.max(...a.map((e, i) => Math.abs(e - c[i]!)))).toBeLessThan(1e-2);
  }
});

it("changes nothing without the kernels", async () => {
  expect(withBlockedConvolutions(model.graph, await typesOf(model), plainKernels)).toBe(model.graph);
});
