/**
 * SynFlow against PyTorch in float64 (test/oracle/gradients.py, an implementation that shares nothing with this one):
 * the share of each layer in the flow of the whole network, and the mask after 100 rounds.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { synflow, type SynflowResult } from "../../server/src/criteria/synflow/rounds.js";
import { Flow } from "../../server/src/criteria/synflow/flow.js";
import { gradientCases, type GradientReference } from "../oracle/gradient-cases.js";
import { type OpenedModel, openBytes, synflowInput } from "../support/synflow.js";

/** What gradients.py wrote for a case. */
const referenceOf = (name: string): GradientReference => {
  const file = join(import.meta.dirname, "..", "oracle", "gradients", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8")) as GradientReference;
};

const rounds = 100;
const sparsity = 0.9;

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

    it("keeps the same weights after 100 rounds", async () => {
      const { result, ids } = await opened(async (model) => ({
        result: await synflow(synflowInput(model, rounds, 1 / (1 - sparsity))),
        ids: model.weights.map(({ id }) => id),
      }));
      const { kept, both } = overlap(result, ids);
      expect(kept.ours).toBe(kept.theirs);
      // Weights whose shares are equal up to rounding change places at the edge of a round.
      expect(both / kept.theirs).toBeGreaterThan(0.999);
    });

    /** How many weights the mask keeps here, there and in both. */
    function overlap(
      { scores }: SynflowResult,
      ids: readonly string[],
    ): { kept: { ours: number; theirs: number }; both: number } {
      const bits = inflateSync(Buffer.from(reference.mask!, "base64"));
      const kept = { ours: 0, theirs: 0 };
      let both = 0;
      let at = 0;
      reference.layers.forEach((layer, l) => {
        const places = scores[ids.indexOf(layer)]!;
        expect(places.length).toBe(reference.sizes[l]);
        for (const place of places) {
          const here = place >= rounds;
          const there = ((bits[at >> 3]! >> (at & 7)) & 1) === 1;
          at++;
          if (here) kept.ours++;
          if (there) kept.theirs++;
          if (here && there) both++;
        }
      });
      return { kept, both };
    }
  },
  600_000,
);
