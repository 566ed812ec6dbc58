/** Factors that set every layer's sum to a target in one run: applied to the weights, a second run finds the targets. */
import { describe, expect, it } from "vitest";
import { measureSums, rescaleFactors, type RescaleTarget } from "../../server/src/autodiff/rescale-factors.js";
import { model, node, normals, tensor, type TestModel, value, weight } from "../support/models.js";
import { withSensitivity } from "../support/sensitivity.js";

/** A Conv with a bias, one without, a MatMul whose bias is added behind it, a Gemm; activations between them. */
const network = (): TestModel =>
  model({
    graph: {
      nodes: [
        node("Conv", ["x", "conv", "conv.bias"], ["c"], { pads: [1, 1, 1, 1] }),
        node("Tanh", ["c"], ["tc"]),
        node("Conv", ["tc", "plain"], ["p"]),
        node("Relu", ["p"], ["rp"]),
        node("Flatten", ["rp"], ["flat"]),
        node("MatMul", ["flat", "matrix"], ["m"]),
        node("Add", ["m", "matrix.bias"], ["mb"]),
        node("Tanh", ["mb"], ["tm"]),
        node("Gemm", ["tm", "last", "last.bias"], ["y"], { transB: 1 }),
      ],
      inputs: [value("x", "float", ["batch", 3, 6, 6])],
      outputs: [value("y", "float", ["batch", 5])],
      initializers: [
        weight("conv", [8, 3, 3, 3], 1),
        tensor("conv.bias", "float", [8], normals(2, 8)),
        weight("plain", [4, 8, 3, 3], 3),
        weight("matrix", [64, 20], 4),
        tensor("matrix.bias", "float", [20], normals(5, 20)),
        weight("last", [5, 20], 6),
        tensor("last.bias", "float", [5], normals(7, 5)),
      ],
    },
  });

const targets: readonly RescaleTarget[] = [0.3, 1.7, 0.05, 4].map((meanSquare) => ({ meanSquare, living: 1 }));

/** The weights of {@link network}, in order. */
const weights = (): Float32Array[] =>
  [normalised([8, 27], 1), normalised([4, 72], 3), normalised([64, 20], 4), normalised([5, 20], 6)].map((one) =>
    Float32Array.from(one),
  );

const normalised = ([rows, columns]: readonly [number, number], seed: number): number[] =>
  normals(seed + 20, rows * columns).map((v) => v / Math.sqrt(columns));

const times = (elements: Float32Array, factor: number | null): Float32Array => elements.map((v) => v * (factor ?? 1));

describe("factors of a network with biases inside, behind and not at all", () => {
  it("lead to the targets, each layer behind those before it", async () => {
    await withSensitivity(network(), { batch: 16 }, async (_, input) => {
      const given = weights();
      const factors = await rescaleFactors(input, given, targets);
      const found = await measureSums(
        input,
        given.map((elements, l) => times(elements, factors[l]!)),
      );
      // Means of a few thousand float32 squares.
      found.forEach((square, l) => {
        expect(Math.abs(square! / targets[l]!.meanSquare - 1)).toBeLessThan(1e-4);
      });
    });
  });

  it("leave alone what has no target, and lead to the others around it", async () => {
    await withSensitivity(network(), { batch: 16 }, async (_, input) => {
      const given = weights();
      const some = targets.map((target, l) => (l === 1 ? null : target));
      const factors = await rescaleFactors(input, given, some);
      expect(factors.map((factor) => factor === null)).toEqual([false, true, false, false]);
      const found = await measureSums(
        input,
        given.map((elements, l) => times(elements, factors[l]!)),
      );
      expect(Math.abs(found[3]! / 4 - 1)).toBeLessThan(1e-4);
      expect(Math.abs(found[1]! / 1.7 - 1)).toBeGreaterThan(0.1);
    });
  });

  it("aim at the outputs that have weights left", async () => {
    await withSensitivity(network(), { batch: 16 }, async (_, input) => {
      const given = weights();
      // Half of the rows of the last layer are gone.
      given[3]!.fill(0, 0, 40);
      const factors = await rescaleFactors(input, given, [null, null, null, { meanSquare: 4, living: 3 / 5 }]);
      const found = await measureSums(input, [...given.slice(0, 3), times(given[3]!, factors[3]!)]);
      expect(Math.abs(found[3]! / (4 * 0.6) - 1)).toBeLessThan(1e-4);
    });
  });

  it("are missing where no signal comes to a layer, and finite behind it", async () => {
    await withSensitivity(network(), { batch: 16 }, async (_, input) => {
      const given = weights();
      given[1]!.fill(0);
      const factors = await rescaleFactors(input, given, targets);
      // Nothing comes out of the second layer, which has no bias, so that nothing enters the third; its own bias does the fourth.
      expect(factors.map((factor) => factor === null)).toEqual([false, true, true, false]);
      expect(Number.isFinite(factors[3])).toBe(true);
    });
  });

  it("of several runs agree with those of one but for what the parts differ in", async () => {
    const one = await withSensitivity(network(), { batch: 64 }, async (_, input) =>
      rescaleFactors(input, weights(), targets),
    );
    const parts = await withSensitivity(network(), { batch: 64, activationBytes: 60000 }, async (_, input) =>
      rescaleFactors(input, weights(), targets),
    );
    one.forEach((factor, l) => {
      expect(parts[l]).not.toBe(factor);
      // Each part is scaled by itself; parts of some samples differ by some percent.
      expect(Math.abs(parts[l]! / factor! - 1)).toBeLessThan(0.05);
    });
  });
});
