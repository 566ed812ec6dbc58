/**
 * Fan-in by counting: with all weights and inputs 1 and no bias, an output away from the borders is the number of inputs
 * of its sum. Sums of ones are exact in float32.
 */
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { around, floats, kindsOf, sitesOf } from "../../support/layer-sites.js";
import { ModelFolder } from "../../support/model-folder.js";
import { type AttributeValue, model, modelBytes, node, tensor, type TestModel, value } from "../../support/models.js";
import { runBytes } from "../../support/run-model.js";
import { elementCount } from "../../../server/src/graph/tensor.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

interface Layer {
  readonly op: string;
  /** Shape of the weight in the file, and what brings it to the operator. */
  readonly weight: readonly number[];
  readonly input: readonly number[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly left?: boolean;
  readonly via?: readonly number[];
}

const layers: readonly (readonly [string, Layer])[] = [
  ["Gemm", { op: "Gemm", weight: [7, 5], input: [2, 7] }],
  ["Gemm, transposed", { op: "Gemm", weight: [5, 7], input: [2, 7], attributes: { transB: 1 } }],
  ["Gemm, the constant on the left", { op: "Gemm", weight: [5, 7], input: [7, 3], left: true }],
  ["MatMul", { op: "MatMul", weight: [7, 5], input: [2, 7] }],
  ["MatMul, the constant on the left", { op: "MatMul", weight: [5, 7], input: [7, 3], left: true }],
  ["MatMul of stacks", { op: "MatMul", weight: [3, 7, 5], input: [3, 2, 7] }],
  ["MatMul with a vector", { op: "MatMul", weight: [7], input: [2, 7] }],
  ["Conv 3×3", { op: "Conv", weight: [4, 6, 3, 3], input: [1, 6, 9, 9] }],
  ["Conv of one axis", { op: "Conv", weight: [4, 6, 5], input: [1, 6, 12] }],
  ["Conv, grouped", { op: "Conv", weight: [4, 3, 3, 3], input: [1, 6, 9, 9], attributes: { group: 2 } }],
  ["Conv, depthwise", { op: "Conv", weight: [6, 1, 3, 5], input: [1, 6, 9, 9], attributes: { group: 6 } }],
  [
    "Conv, depthwise, stored without its axis of 1",
    { op: "Conv", weight: [6, 3, 5], input: [1, 6, 9, 9], attributes: { group: 6 }, via: [6, 1, 3, 5] },
  ],
  [
    "Conv, strided and dilated",
    { op: "Conv", weight: [4, 6, 3, 3], input: [1, 6, 12, 12], attributes: { strides: [2, 2], dilations: [2, 2] } },
  ],
  ["ConvTranspose", { op: "ConvTranspose", weight: [6, 4, 3, 3], input: [1, 6, 9, 9] }],
  [
    "ConvTranspose, stride 2",
    { op: "ConvTranspose", weight: [6, 4, 4, 4], input: [1, 6, 9, 9], attributes: { strides: [2, 2] } },
  ],
  [
    "ConvTranspose, uneven",
    { op: "ConvTranspose", weight: [6, 4, 3, 3], input: [1, 6, 9, 9], attributes: { strides: [2, 2] } },
  ],
  [
    "ConvTranspose, grouped",
    { op: "ConvTranspose", weight: [6, 4, 4, 2], input: [1, 6, 9, 9], attributes: { strides: [2, 1], group: 3 } },
  ],
];

function modelOf({ op, weight, input, attributes = {}, left = false, via }: Layer): TestModel {
  const used = via === undefined ? "first" : "shaped";
  return model({
    graph: {
      nodes: [
        ...(via === undefined ? [] : [node("Reshape", ["first", "shape"], ["shaped"])]),
        node(op, left ? [used, "x"] : ["x", used], ["y"], attributes),
      ],
      inputs: [value("x", "float", input)],
      outputs: [value("y", "float", null)],
      initializers: [
        tensor("first", "float", weight, Array<number>(elementCount(weight)).fill(1)),
        ...(via === undefined ? [] : [tensor("shape", "int64", [via.length], via)]),
      ],
    },
  });
}

/** Mean over the outputs' middle, 4 long on every spatial axis: a whole number of strides. */
function middleMean({ data, dims }: ort.Tensor): number {
  let sum = 0;
  let count = 0;
  (data as Float32Array).forEach((element, index) => {
    let rest = index;
    let inside = true;
    for (let axis = dims.length - 1; axis >= 2; axis--) {
      const from = Math.floor((dims[axis]! - 4) / 2);
      const at = rest % dims[axis]!;
      rest = Math.floor(rest / dims[axis]!);
      if (dims[axis]! > 4 && (at < from || at >= from + 4)) inside = false;
    }
    if (!inside) return;
    sum += element;
    count++;
  });
  return sum / count;
}

describe("fan-in", () => {
  it.each(layers)("of %s is what is counted", async (_, layer) => {
    const made = modelOf(layer);
    const site = (await sitesOf(folder, made)).get("first")!;
    const ones = new ort.Tensor("float32", new Float32Array(elementCount(layer.input)).fill(1), layer.input);
    const { y } = await runBytes(modelBytes(made), { x: ones });
    expect(site.fanIn).toBe(middleMean(y!));
  });

  it("is not known where a reshape mixes axes", async () => {
    const made = modelOf({ op: "MatMul", weight: [5, 6], input: [2, 3], via: [3, 10] });
    const site = (await sitesOf(folder, made)).get("first")!;
    expect(site.fanIn).toBeNull();
    expect(kindsOf(site)).toContain("unknown-axes");
  });

  it("does not hang on what follows", async () => {
    const made = around([node("Mul", ["u", "half"], ["v"])], { initializers: floats({ half: 0.5 }) });
    expect((await sitesOf(folder, made)).get("first")!.fanIn).toBe(6);
  });
});
