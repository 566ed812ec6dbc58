/** BatchNormalization with the batch's own statistics, against the formulas of training in float64. */
import { describe, expect, it } from "vitest";
import { withBatchStatistics } from "../../server/src/autodiff/batch-statistics.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { backward, evaluate, graphModel, typesOf } from "../support/backward.js";
import { node, normals, value } from "../support/models.js";

const epsilon = 1e-3;

/** A float32 evaluation of sums over up to 60 elements of order 1 is off by a few roundings of 2⁻²⁴ times their number. */
const digits = 4;

describe.each([
  { title: "images", shape: [3, 4, 4, 5] },
  { title: "features", shape: [12, 4] },
  { title: "sequences, far from zero", shape: [4, 3, 6], shift: 20 },
])("$title", ({ shape, shift = 0 }) => {
  const channels = shape[1]!;
  const inputs = new Map([
    ["x", Float32Array.from(normals(1, elementCount(shape)), (e) => 2 * e + shift)],
    ["scale", Float32Array.from(normals(2, channels))],
    ["bias", Float32Array.from(normals(3, channels))],
    ["c", Float32Array.from(normals(4, elementCount(shape)))],
    // Stored statistics that must not matter.
    ["mean", new Float32Array(channels).fill(7)],
    ["variance", new Float32Array(channels).fill(9)],
  ]);
  const perChannel = ["scale", "bias", "mean", "variance"];
  const stored = graphModel({
    inputs: [...inputs.keys()].map((name) => value(name, "float", perChannel.includes(name) ? [channels] : shape)),
    outputs: [value("loss", "float", [])],
    nodes: [
      node("BatchNormalization", ["x", "scale", "bias", "mean", "variance"], ["y"], { epsilon: { float: epsilon } }),
      node("Mul", ["y", "c"], ["terms"]),
      node("ReduceSum", ["terms"], ["loss"], { keepdims: 0 }),
    ],
  });

  it("gives the values and gradients of training", async () => {
    const model = { ...stored, graph: withBatchStatistics(stored.graph, await typesOf(stored)) };
    const by = ["x", "scale", "bias", "mean", "variance"];
    const { graph, gradients, missing } = await backward(model, "loss", by);
    expect(missing).toEqual([]);
    expect([...gradients.keys()]).toEqual(["x", "scale", "bias"]);
    const found = await evaluate(model, graph, ["y", ...gradients.values()], inputs);
    const expected = training(shape, inputs);
    expect(distance(found.get("y")!, expected.y)).toBeCloseTo(0, digits);
    expect(distance(found.get(gradients.get("x")!)!, expected.x)).toBeCloseTo(0, digits);
    expect(distance(found.get(gradients.get("scale")!)!, expected.scale)).toBeCloseTo(0, digits);
    expect(distance(found.get(gradients.get("bias")!)!, expected.bias)).toBeCloseTo(0, digits);
  });
});

it("leaves a node alone whose input has no known shape", async () => {
  const model = graphModel({
    inputs: ["x", "v"].map((name) => value(name, "float", name === "x" ? [2, 3] : [3])),
    outputs: [value("y", "float", [2, 3])],
    nodes: [node("BatchNormalization", ["x", "v", "v", "v", "v"], ["y"])],
  });
  const types = new Map([...(await typesOf(model)), ["x", { dtype: "float" as const, shape: null }]]);
  expect(withBatchStatistics(model.graph, types).nodes).toEqual(model.graph.nodes);
});

const distance = (found: ArrayLike<number>, expected: Float64Array): number =>
  Math.max(...expected.map((e, i) => Math.abs(e - found[i]!)));

/** Output and gradients of Σ c·y, with mean and biased variance of each channel of x (Ioffe & Szegedy 2015). */
function training(
  shape: readonly number[],
  inputs: ReadonlyMap<string, Float32Array>,
): Record<"y" | "x" | "scale" | "bias", Float64Array> {
  const [x, scale, bias, c] = ["x", "scale", "bias", "c"].map((name) => Float64Array.from(inputs.get(name)!)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const channels = shape[1]!;
  const places = elementCount(shape.slice(2));
  const made = {
    y: new Float64Array(x.length),
    x: new Float64Array(x.length),
    scale: new Float64Array(channels),
    bias: new Float64Array(channels),
  };
  for (let k = 0; k < channels; k++) {
    const of = Array.from(x.keys()).filter((i) => Math.floor(i / places) % channels === k);
    const mean = (f: (i: number) => number): number => of.reduce((sum, i) => sum + f(i), 0) / of.length;
    const centre = mean((i) => x[i]!);
    const deviation = Math.sqrt(mean((i) => (x[i]! - centre) ** 2) + epsilon);
    const hat = (i: number): number => (x[i]! - centre) / deviation;
    const [meanC, along] = [mean((i) => c[i]!), mean((i) => c[i]! * hat(i))];
    made.scale[k] = along * of.length;
    made.bias[k] = meanC * of.length;
    for (const i of of) {
      made.y[i] = hat(i) * scale[k]! + bias[k]!;
      made.x[i] = (scale[k]! / deviation) * (c[i]! - meanC - hat(i) * along);
    }
  }
  return made;
}
