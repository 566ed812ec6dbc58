/**
 * SynFlow: what a weight gives to the flow through the linearised network, recomputed after every round of removal, so
 * that no layer is emptied before all others are nearly empty (Tanaka et al. 2020, arXiv 2006.05467).
 */
import { arrayField } from "../../formats/stored-elements.js";
import type { Criterion } from "../criterion.js";
import { standardSchedule, synflow as rounds } from "./rounds.js";

export const synflow: Criterion = {
  id: "synflow",
  aliases: [],
  title: "SynFlow θ·∂R/∂θ",
  summary: "Keeps the flow through every layer alive, round by round. Needs no data; sees the weights, not the task.",
  reference:
    "Tanaka, Kunin, Yamins, Ganguli: Pruning Neural Networks without any Data by Iteratively Conserving Synaptic Flow, 2020, arXiv 2006.05467",
  needs: { data: false, gradientOrder: 1, rounds: standardSchedule.rounds },
  signed: false,
  isMagnitude: false,
  unavailable: ({ flow }) => flow,
  score: async ({ weights, excluded, seed, sensitivity, progress, checkpoint }) => {
    const network = await (await sensitivity()).network();
    const taking = weights.flatMap((weight, i) => {
      const value = network.weights[i] ?? null;
      const elements = network.elements[i] ?? null;
      return value === null || elements === null || excluded[i] === true ? [] : [{ i, id: weight.id, value, elements }];
    });
    const { scores, reasons } = await rounds({
      ...network,
      ...standardSchedule,
      weights: taking,
      seed,
      progress,
      checkpoint,
    });
    const place = new Map(taking.map(({ i }, at) => [i, at]));
    const of = <T>(list: readonly (T | null)[], i: number): T | null => {
      const at = place.get(i);
      return at === undefined ? null : (list[at] ?? null);
    };
    const { rounds: n, compression } = standardSchedule;
    return {
      fields: weights.map((_, i) => {
        const found = of(scores, i);
        return found === null ? null : arrayField(found);
      }),
      circumstance: {
        loss: null,
        batchNorm: null,
        reasons: weights.map((_, i) => network.reasons[i] ?? of(reasons, i)),
        notes: [
          ...network.notes,
          `SynFlow: ${n} rounds down to ${100 / compression} % of the weights, ${n / Math.log10(compression)} for every factor of ten; ` +
            `a score is the round that removes a weight, then its share in the flow then. Above ${100 - 100 / compression} % sparsity the last round decides.`,
        ],
      },
    };
  },
};
