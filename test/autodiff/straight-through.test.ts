/** Quantisation passes gradients straight through: the identity inside the range of the integers, nothing outside of it. */
import { describe, expect, it } from "vitest";
import { backward, evaluate, graphModel } from "../support/backward.js";
import { type GraphParts, node, tensor, value } from "../support/models.js";

interface Pair {
  readonly title: string;
  readonly shape: readonly number[];
  readonly scale: { readonly shape: readonly number[]; readonly values: readonly number[] };
  readonly zero: { readonly dtype: "int8" | "uint8"; readonly values: readonly number[] } | null;
  readonly axis?: number;
  /** Nodes between the two, from `q` to `r`. */
  readonly between?: GraphParts["nodes"];
  readonly x: readonly number[];
  readonly passes: readonly number[];
}

const pairs: readonly Pair[] = [
  {
    title: "one scale, signed",
    shape: [6],
    scale: { shape: [], values: [0.5] },
    zero: { dtype: "int8", values: [0] },
    x: [-64.5, -64, -1.3, 0, 63.5, 63.8],
    passes: [0, 1, 1, 1, 1, 0],
  },
  {
    title: "no zero point: unsigned",
    shape: [4],
    scale: { shape: [], values: [0.5] },
    zero: null,
    x: [-0.5, 0, 100, 128],
    passes: [0, 1, 1, 0],
  },
  {
    title: "a zero point",
    shape: [4],
    scale: { shape: [1], values: [0.25] },
    zero: { dtype: "uint8", values: [128] },
    x: [-32.5, -32, 31.7, 32],
    passes: [0, 1, 1, 0],
  },
  {
    title: "a scale for each row, moved in between",
    shape: [2, 2],
    scale: { shape: [2], values: [1, 0.01] },
    zero: { dtype: "int8", values: [0, 10] },
    axis: 0,
    x: [100, -100, 1.1, 1.3],
    passes: [1, 1, 1, 0],
  },
  {
    title: "integers that are transposed and joined",
    shape: [2, 2],
    scale: { shape: [], values: [1] },
    zero: { dtype: "int8", values: [0] },
    between: [node("Transpose", ["q"], ["turned"]), node("Concat", ["turned", "turned"], ["r"], { axis: 0 })],
    x: [1, 2, 200, -3],
    passes: [2, 2, 0, 2],
  },
];

describe.each(pairs)("$title", ({ shape, scale, zero, axis, between = [], x, passes }) => {
  it("is the identity inside the range", async () => {
    const attributes = axis === undefined ? {} : { axis };
    const last = between.length === 0 ? "q" : "r";
    const zeros = zero === null ? [] : ["zero"];
    const made = graphModel({
      nodes: [
        node("QuantizeLinear", ["x", "scale", ...zeros], ["q"], attributes),
        ...between,
        node("DequantizeLinear", [last, "scale", ...zeros], ["y"], attributes),
        node("ReduceSum", ["y"], ["loss"], { keepdims: 0 }),
      ],
      inputs: [value("x", "float", shape)],
      outputs: [value("loss", "other", null)],
      initializers: [
        tensor("scale", "float", scale.shape, scale.values),
        ...(zero === null ? [] : [tensor("zero", zero.dtype, scale.shape, zero.values)]),
      ],
    });
    const { graph, gradients, missing } = await backward(made, "loss", ["x"]);
    expect(missing).toEqual([]);
    const gradient = gradients.get("x")!;
    const values = await evaluate(made, graph, [gradient], new Map([["x", Float32Array.from(x)]]));
    // scale · 1/scale is 1 up to the rounding of two float32 operations.
    for (const [i, element] of values.get(gradient)!.entries()) expect(element).toBeCloseTo(passes[i]!, 5);
  });
});

describe("integer weights", () => {
  it("get a float gradient, in units of the loss for each integer step", async () => {
    const made = graphModel({
      nodes: [
        node("DequantizeLinear", ["w", "scale", "zero"], ["real"]),
        node("MatMul", ["x", "real"], ["y"]),
        node("ReduceSum", ["y"], ["loss"], { keepdims: 0 }),
      ],
      inputs: [value("x", "float", [1, 2])],
      outputs: [value("loss", "other", null)],
      initializers: [
        tensor("w", "int8", [2, 2], [1, -2, 3, 4]),
        tensor("scale", "float", [], [0.5]),
        tensor("zero", "int8", [], [0]),
      ],
    });
    const { graph, gradients } = await backward(made, "loss", ["w"]);
    const gradient = gradients.get("w")!;
    const values = await evaluate(made, graph, [gradient], new Map([["x", Float32Array.of(2, 4)]]));
    expect([...values.get(gradient)!]).toEqual([1, 1, 2, 2]);
  });

  it("in blocks are cut, with the reason", async () => {
    const made = graphModel({
      nodes: [
        node("DequantizeLinear", ["w", "scale"], ["real"], { axis: 0, block_size: 2 }),
        node("ReduceSum", ["real"], ["loss"], { keepdims: 0 }),
      ],
      outputs: [value("loss", "other", null)],
      initializers: [tensor("w", "int8", [4, 1], [1, 2, 3, 4]), tensor("scale", "float", [2, 1], [0.5, 1])],
    });
    expect((await backward(made, "loss", ["w"])).missing.map(({ reason }) => reason)).toEqual([
      "it is quantised in blocks",
    ]);
  });
});
