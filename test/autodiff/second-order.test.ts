/**
 * Whole networks: gradients against finite differences, and the gradient's own derivative (Hessian times a direction)
 * against finite differences of the gradient. And Euler's identity, which ties the gradients of all layers together.
 */
import { describe, expect, it } from "vitest";
import { smallNetworks } from "../cases/small-networks.js";
import { backward, evaluate, graphModel } from "../support/backward.js";
import { checkModel } from "../support/gradient-check.js";
import { type GraphParts, node, normals, value } from "../support/models.js";

describe.each(smallNetworks)("$title", ({ title, parts }) => {
  const made = graphModel(parts);

  it.each([1, 2] as const)("order %i", async (order) => {
    const elements = (i: number, random: () => number): Float32Array => {
      const shape = made.graph.inputs[i]!.shape as number[];
      const count = shape.reduce((product, dim) => product * dim, 1);
      return Float32Array.from(normals(Math.floor(random() * 2 ** 31), count, 0.5));
    };
    for (const { analytic, numeric, tolerance } of await checkModel(made, title, elements, { order }))
      expect(Math.abs(analytic - numeric), `${analytic} is not ${numeric}`).toBeLessThanOrEqual(tolerance);
  });
});

describe("a network of ReLUs without biases", () => {
  // Homogeneous of degree 1 in the weights of each layer: Σ w·∂L/∂w = Σ y·∂L/∂y, whatever the loss (Euler).
  const widths = [6, 12, 10, 8, 12, 5];
  const weights = widths.slice(1).map((width, l) => ({ name: `w${l}`, shape: [widths[l]!, width] }));
  const parts: GraphParts = {
    nodes: [
      ...weights.flatMap(({ name }, l) => [
        node("MatMul", [l === 0 ? "x" : `h${l}`, name], [`z${l}`]),
        ...(l === weights.length - 1 ? [] : [node("Relu", [`z${l}`], [`h${l + 1}`])]),
      ]),
      node("Tanh", [`z${weights.length - 1}`], ["t"]),
      node("ReduceSumSquare", ["t"], ["loss"], { keepdims: 0 }),
    ],
    inputs: [value("x", "float", [8, widths[0]!]), ...weights.map(({ name, shape }) => value(name, "float", shape))],
    outputs: [value("loss", "other", null)],
  };

  it("has the same sum of w · dL/dw in every layer, that of y · dL/dy", async () => {
    const made = graphModel(parts);
    const logits = `z${weights.length - 1}`;
    const by = [...weights.map(({ name }) => name), logits];
    const { graph, gradients } = await backward(made, "loss", by);
    const inputs = new Map(
      made.graph.inputs.map(({ name, shape }, i) => {
        const [rows = 1, columns = 1] = shape as number[];
        return [name, Float32Array.from(normals(i + 1, rows * columns, Math.sqrt(2 / rows)))];
      }),
    );
    const values = await evaluate(made, graph, [logits, ...gradients.values()], inputs);
    const sums = by.map((name) => {
      const own = inputs.get(name) ?? values.get(name)!;
      const gradient = values.get(gradients.get(name)!)!;
      const terms = Array.from(own, (element, i) => element * gradient[i]!);
      const sum = terms.reduce((a, b) => a + b, 0);
      // A float32 gradient carries a relative error of some 2⁻²⁴ for each of the ten products it is made of.
      return { sum, error: 10 * 2 ** -24 * terms.reduce((a, b) => a + Math.abs(b), 0) };
    });
    const last = sums.at(-1)!;
    expect(Math.abs(last.sum)).toBeGreaterThan(0.1);
    for (const { sum, error } of sums) expect(Math.abs(sum - last.sum)).toBeLessThanOrEqual(error + last.error);
  });
});
