/**
 * Any criterion that looks at the network, in rounds: weights are scored, the weakest removed, and what is left is
 * scored again in the network without them (iterative SNIP: de Jorge et al. 2021, arXiv 2006.09081; Verdenius et al.
 * 2020, arXiv 2006.00896). What is removed stays removed. One session serves all rounds.
 */
import type { Sensitivity } from "../autodiff/sensitivity.js";
import { arrayField } from "../formats/stored-elements.js";
import type { QuotaLayer } from "../pruning/quotas.js";
import { alive, removeWeakest, type RoundLayer, settle } from "../pruning/removal.js";
import { type RoundPool, roundPools } from "../pruning/schedule.js";
import type { Criterion, Schedule, Scores, ScoringInput } from "./criterion.js";

/** Whether rounds change what a criterion says: not where it looks at weights alone, or has rounds of its own. */
export const changesInRounds = ({ needs }: Criterion): boolean => needs.gradientOrder > 0 && needs.rounds === 1;

/**
 * The criterion, asked again in every round of a schedule. A score is (the round that removes a weight − 1) + its place
 * in [0, 1) among the scores of that round; what is left at the end has the scores of the last round. So one ranking
 * serves every sparsity up to the schedule's, and beyond it the last round decides.
 * @param forms what quotas look at, of every weight.
 */
export function inRounds(criterion: Criterion, schedule: Schedule, forms: readonly QuotaLayer[]): Criterion {
  const { rounds } = schedule;
  return {
    ...criterion,
    needs: { ...criterion.needs, rounds },
    signed: false,
    schedule,
    score: async (input) => {
      const engine = await input.sensitivity();
      return engine.keeping(() => scoreInRounds(criterion, schedule, forms, input, engine));
    },
  };
}

async function scoreInRounds(
  criterion: Criterion,
  schedule: Schedule,
  forms: readonly QuotaLayer[],
  input: ScoringInput,
  engine: Sensitivity,
): Promise<Scores> {
  const { rounds, sparsity } = schedule;
  const { weights, excluded, seed, progress, checkpoint } = input;
  const kind = { signed: criterion.signed, title: criterion.title, seed };
  const again: ScoringInput = { ...input, sensitivity: () => Promise.resolve(engine) };
  progress(0, rounds);
  const first = await criterion.score(again);
  const taking = weights.flatMap((_, i) => (first.fields[i] == null || excluded[i] === true ? [] : [i]));
  const layers: RoundLayer[] = [];
  for (const i of taking) {
    const elements = await engine.elements(i);
    const size = elements.length;
    layers.push({
      id: weights[i]!.id,
      scores: new Float32Array(size),
      elements,
      places: new Float32Array(size).fill(alive),
    });
  }
  const taken = taking.map((i) => forms[i]!);
  let before: readonly RoundPool[] = roundPools(taken, { ...schedule, sparsity: 0 }, 1, 1);
  for (let round = 1; round <= rounds; round++) {
    await checkpoint();
    const { fields } = round === 1 ? first : await criterion.score(again);
    layers.forEach(({ scores }, l) => {
      fields[taking[l]!]!.read(0, scores.length, scores);
      // −0 is 0 in every ranking.
      if (kind.signed) for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! + 0;
    });
    const pools = roundPools(taken, schedule, round, rounds);
    pools.forEach(({ layers: members, keep }, p) => {
      const removing = members.map((l) => layers[l]!);
      const scale = removeWeakest(removing, before[p]!.keep - keep, round - 1, kind);
      if (round === rounds) for (const layer of removing) settle(layer, rounds, scale);
    });
    before = pools;
    progress(round, rounds);
  }
  const at = new Map(taking.map((i, l) => [i, l]));
  return {
    fields: weights.map((_, i) => {
      const l = at.get(i);
      return l === undefined ? null : arrayField(layers[l]!.places);
    }),
    circumstance:
      first.circumstance === null
        ? null
        : {
            ...first.circumstance,
            notes: [
              ...first.circumstance.notes,
              `In ${rounds} rounds down to ${percent(1 - sparsity)} % of the weights, scored anew in each without those that are gone; a score is the round that removes a weight, then its place in that round. ` +
                `Above ${percent(sparsity)} % sparsity the last round decides. The loss is that of the whole network.`,
            ],
          },
  };
}

const percent = (share: number): string => String(Number((100 * share).toPrecision(6)));
