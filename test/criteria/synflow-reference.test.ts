/**
 * SynFlow against PyTorch in float64 (test/oracle/gradients.py, an implementation that shares nothing with this one):
 * the share of each layer in the flow of the whole network. Masks after all rounds are compared in oracle/gradients.test.ts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Flow } from "../../server/src/autodiff/linearise/flow.js";
import { gradientCases, type GradientReference } from "../oracle/gradient-cases.js";
import { type OpenedModel, openBytes } from "../support/synflow.js";

/** What gradients.py wrote for a case. */
const referenceOf = (name: string): GradientReference => {
  const file = join(import.meta.dirname, "..", "oracle", "gradients", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8")) as GradientReference;
};

const cases = gradientCases.filter(({ criterion }) => criterion === "synflow");

describe.each(cases)(
  "$name",
  (one) => {
    const reference = referenceOf(one.name);

    const opened = async <T>(use: (model: OpenedModel) => Promise<T>): Promise<T> => {
      const model = await openBytes(one.problem().bytes);
      try {
        return await use(model);
      } finally {
        model.close();
      }
    };

    it("has the same flow and the same share of it in every layer", async () => {
      await opened(async (model) => {
        const flow = await Flow.open(model.flow);
        const {
          shares,
          flow: scaled,
          exponent,
        } = await flow.run(model.weights.map(({ elements }) => elements.map(Math.abs)));
        await flow.close();
        // Sums of non-negative float32 numbers through some hundred operators: each rounds by at most 2^-24, and the longest
        // sums (some thousand terms) by some times that.
        const precision = 1e-4;
        expect(Math.abs((scaled * 2 ** exponent) / reference.loss - 1)).toBeLessThan(precision);
        const sums = new Map(shares.map((share, i) => [model.weights[i]!.id, share?.reduce((sum, x) => sum + x, 0)]));
        reference.layers.forEach((layer, l) => {
          expect(sums.get(layer)! * 2 ** exponent, layer).toBeGreaterThan(reference.sums[l]! * (1 - precision));
          expect(sums.get(layer)! * 2 ** exponent, layer).toBeLessThan(reference.sums[l]! * (1 + precision));
        });
        expect(model.weights.flatMap(({ id }, i) => (flow.reasons[i] === null ? [] : [id]))).toEqual(reference.noScore);
      });
    });
  },
  600_000,
);
