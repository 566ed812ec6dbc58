/** Gradients at kinks: finite differences cannot see them, and saturated activations lie exactly there. */
import { describe, expect, it } from "vitest";
import { kinks } from "../cases/kinks.js";
import { backward, evaluate, graphModel } from "../support/backward.js";
import { node, tensor, value } from "../support/models.js";

describe.each(kinks)("$op: $title", ({ op, inputs, attributes = {}, gradients }) => {
  it("has PyTorch's gradient", async () => {
    const names = inputs.map((_, i) => `x${i}`);
    const made = graphModel({
      nodes: [node(op, names, ["y"], attributes), node("ReduceSum", ["y"], ["loss"], { keepdims: 0 })],
      inputs: inputs.map((elements, i) => value(`x${i}`, "float", [elements.length])),
      outputs: [value("loss", "other", null)],
    });
    const result = await backward(made, "loss", names);
    expect(names.map((name) => result.gradients.has(name))).toEqual(gradients.map((gradient) => gradient !== null));
    if (result.gradients.size === 0) return;
    const feeds = new Map(inputs.map((elements, i) => [`x${i}`, Float32Array.from(elements)]));
    const values = await evaluate(made, result.graph, [...result.gradients.values()], feeds);
    names.forEach((name, i) => {
      const computed = result.gradients.get(name);
      if (computed === undefined) return;
      // Thirds are rounded; all else is exact.
      for (const [at, element] of values.get(computed)!.entries()) expect(element).toBeCloseTo(gradients[i]![at]!, 6);
    });
  });
});

describe("Clip, as ReLU6 is exported", () => {
  it("passes nothing at its bounds", async () => {
    const made = graphModel({
      nodes: [node("Clip", ["x", "low", "high"], ["y"]), node("ReduceSum", ["y"], ["loss"], { keepdims: 0 })],
      inputs: [value("x", "float", [5])],
      outputs: [value("loss", "other", null)],
      initializers: [tensor("low", "float", [], [0]), tensor("high", "float", [], [6])],
    });
    const { graph, gradients } = await backward(made, "loss", ["x"]);
    const values = await evaluate(
      made,
      graph,
      [gradients.get("x")!],
      new Map([["x", Float32Array.of(-1, 0, 3, 6, 7)]]),
    );
    expect([...values.get(gradients.get("x")!)!]).toEqual([0, 0, 1, 0, 0]);
  });
});
