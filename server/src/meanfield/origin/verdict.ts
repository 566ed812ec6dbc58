/** From votes to verdicts: of a layer from its own, of the model from BatchNormalization's and its layers'. */
import type { Origin, OriginReport, OriginVote } from "../../../protocol/insights.js";
import type { BatchNormFinding } from "../../autodiff/batch-norm-state.js";

/** Trained when distribution or spectrum say so; fresh when both do, as far as there are both, and the biases do not object. */
export function layerVerdict(votes: readonly OriginVote[]): Origin {
  const weights = votes.filter(({ test }) => test === "distribution" || test === "spectrum");
  if (weights.length === 0) return "unclear";
  if (weights.some(({ verdict }) => verdict === "trained")) return "trained";
  if (weights.some(({ verdict }) => verdict === "unclear")) return "unclear";
  // Weights as they were drawn with biases that were not: something has been at work.
  return votes.some(({ test, verdict }) => test === "biases" && verdict !== "fresh") ? "unclear" : "fresh";
}

/** Shares of the weights whose origin is told, from which on the model's is. */
const decisive = { fresh: 0.9, trained: 0.5 } as const;

/** @param sizes weights of each layer. */
export function modelVerdict(
  batchNorm: BatchNormFinding,
  layers: readonly OriginReport[],
  sizes: readonly number[],
): OriginReport {
  const votes: OriginVote[] = [];
  const { state } = batchNorm;
  if (state !== "none")
    votes.push({ test: "batch-norm", verdict: state, words: `BatchNormalization: ${batchNorm.words}.` });
  for (const test of ["biases", "distribution", "spectrum"] as const) {
    const found = layers.map((layer) => layer.votes.find((vote) => vote.test === test)?.verdict ?? null);
    const count = (verdict: Origin): number => found.filter((one) => one === verdict).length;
    const told = found.filter((one) => one !== null).length;
    if (told === 0) continue;
    votes.push({
      test,
      verdict: byShare(found, sizes),
      words: `${looks[test]} of ${told} ${told === 1 ? "layer" : "layers"}: ${count("fresh")} look drawn, ${count("trained")} trained, ${count("unclear")} cannot be told.`,
    });
  }
  const byWeights = byShare(
    layers.map(({ verdict }) => verdict),
    sizes,
  );
  return { verdict: together(state, byWeights), votes };
}

const looks = {
  biases: "Biases",
  distribution: "Distribution of the weights",
  spectrum: "Top of the spectrum",
} as const;

/** Of layers, by their weights; those that cannot be told do not count, unless that is most of the model. */
function byShare(found: readonly (Origin | null)[], sizes: readonly number[]): Origin {
  const weight = (verdict: Origin): number => found.reduce((sum, one, l) => sum + (one === verdict ? sizes[l]! : 0), 0);
  const [fresh, trained, unclear] = [weight("fresh"), weight("trained"), weight("unclear")];
  const told = fresh + trained;
  if (told === 0) return "unclear";
  if (trained >= decisive.trained * told) return "trained";
  return fresh >= decisive.fresh * told && fresh >= unclear ? "fresh" : "unclear";
}

/** Trained weights are trained whatever norms say; else the two must not contradict each other. */
function together(norms: BatchNormFinding["state"], weights: Origin): Origin {
  if (norms === "none" || norms === weights || weights === "trained") return weights;
  if (norms === "unclear") return weights;
  return weights === "unclear" ? norms : "unclear";
}
