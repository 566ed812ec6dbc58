/** Random pruning, the baseline every criterion has to beat: scores are uniform in [0, 1), a function of seed, layer and index. */
import { layerSeed, mix32 } from "../pruning/hash.js";
import { type Criterion, dataFree } from "./criterion.js";

/** Keeps the scores apart from the hashes that break ties. */
const stream = 0x9216d5d9;

export const random: Criterion = {
  id: "random",
  aliases: [],
  title: "Random",
  summary: "Removes weights at random, the same share of every layer on average: the baseline.",
  reference: "Su et al.: Sanity-Checking Pruning Methods: Random Tickets can Win the Jackpot, 2020, arXiv 2009.11094",
  needs: { data: false, gradientOrder: 0, rounds: 1 },
  signed: false,
  isMagnitude: false,
  unavailable: () => null,
  score: ({ weights, seed }) =>
    Promise.resolve(
      dataFree(
        weights.map((weight) => {
          const base = layerSeed(weight.id, seed) ^ stream;
          return {
            size: weight.size,
            read: (start, count, out) => {
              for (let i = 0; i < count; i++) out[i] = (mix32(base, start + i) >>> 8) * 2 ** -24;
            },
          };
        }),
      ),
    ),
};
