/** Which of equal elements a pool's gradient goes to: the first, as in PyTorch. */
import { expect, it } from "vitest";
import { backward, evaluate, graphModel } from "../support/backward.js";
import { type AttributeValue, node, value } from "../support/models.js";

const pools: readonly { op: string; attributes: Readonly<Record<string, AttributeValue>>; expected: number[] }[] = [
  { op: "MaxPool", attributes: { kernel_shape: [2, 2], strides: [2, 2] }, expected: [1, 0, 1, 0, 0, 0, 0, 0] },
  { op: "MaxPool", attributes: { kernel_shape: [2, 2] }, expected: [1, 1, 1, 0, 0, 0, 0, 0] },
  { op: "GlobalMaxPool", attributes: {}, expected: [1, 0, 0, 0, 0, 0, 0, 0] },
];

it.each(pools)("$op $attributes", async ({ op, attributes, expected }) => {
  const model = graphModel({
    inputs: [value("x", "float", [1, 1, 2, 4])],
    outputs: [value("loss", "float", [])],
    nodes: [node(op, ["x"], ["y"], attributes), node("ReduceSum", ["y"], ["loss"], { keepdims: 0 })],
  });
  const { graph, gradients } = await backward(model, "loss", ["x"]);
  const dx = gradients.get("x")!;
  const found = await evaluate(model, graph, [dx], new Map([["x", new Float32Array(8)]]));
  expect([...found.get(dx)!]).toEqual(expected);
});
