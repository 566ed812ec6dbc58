/**
 * SynFlow's rounds (Tanaka et al. 2020, arXiv 2006.05467, algorithm 1): after round k of n the ρ^(−k/n) of the weights
 * with the largest shares in the flow are kept, and what is removed stays removed. Weights are ranked by the round that
 * removes them, and within it by their share then.
 */
import { Flow } from "../../autodiff/linearise/flow.js";
import type { FlowModel } from "../../autodiff/linearise/plan.js";
import { alive, removeWeakest, settle } from "../../pruning/removal.js";

/**
 * A hundred rounds, the reference's number, for every factor of ten, down to 1 % of the weights. A longer schedule with
 * the same step begins with the shorter one, so that one ranking serves every sparsity up to 0.99; beyond it the shares
 * of the last round decide.
 */
export const standardSchedule = Object.freeze({ rounds: 200, compression: 100 });

export interface SynflowInput extends Omit<FlowModel, "weights"> {
  readonly weights: readonly SynflowWeight[];
  /** n: how often shares are computed. */
  readonly rounds: number;
  /** ρ: weights per weight that is left after the last round. */
  readonly compression: number;
  /** Decides between weights of equal share and magnitude. */
  readonly seed: number;
  readonly progress: (round: number, rounds: number) => void;
  /** Lets others run; throws when the work was cancelled. */
  readonly checkpoint: () => Promise<void>;
}

export interface SynflowWeight {
  readonly id: string;
  /** Input or constant of the graph. */
  readonly value: string;
  readonly elements: Float32Array;
}

export interface SynflowResult {
  /**
   * Per weight and element (round − 1) + place: the round that removes it, n + 1 for what is left, and its place in
   * [0, 1) among the shares of that round, on a logarithmic scale. Null for weights without a score.
   */
  readonly scores: readonly (Float32Array | null)[];
  /** Why a weight has no score; null where it has one. */
  readonly reasons: readonly (string | null)[];
  /** Weights kept after each round, of all that have a score. */
  readonly kept: readonly number[];
  /** log₂ of the flow R of the whole network; −∞ when nothing flows. */
  readonly logFlow: number;
}

/**
 * Scores the weights of a model. One session serves all rounds.
 * @throws PruneScopeError `non-finite` when weights are NaN or infinite.
 */
export async function synflow(input: SynflowInput): Promise<SynflowResult> {
  const { weights, rounds, compression, progress, checkpoint } = input;
  const flow = await Flow.open({ ...input, weights: weights.map(({ value }) => value) });
  try {
    const magnitudes = weights.map(({ elements }) => elements.map(Math.abs));
    const scored = weights.flatMap((_, i) => (flow.reasons[i] === null ? [i] : []));
    const places = scored.map((i) => new Float32Array(weights[i]!.elements.length).fill(alive));
    const total = places.reduce((sum, one) => sum + one.length, 0);
    const kind = { signed: false, title: "SynFlow", seed: input.seed };
    const kept: number[] = [];
    let logFlow = -Infinity;
    let left = total;
    for (let round = 1; round <= rounds; round++) {
      await checkpoint();
      const { shares, flow: scaled, exponent } = await flow.run(magnitudes);
      if (round === 1) logFlow = Math.log2(scaled) + exponent;
      const layers = scored.map((i, l) => ({
        id: weights[i]!.id,
        scores: shares[i]!,
        elements: magnitudes[i]!,
        places: places[l]!,
      }));
      const keep = Math.round(total * compression ** (-round / rounds));
      const scale = removeWeakest(layers, left - keep, round - 1, kind);
      left = keep;
      if (round === rounds) for (const layer of layers) settle(layer, rounds, scale);
      kept.push(keep);
      progress(round, rounds);
    }
    const scores: (Float32Array | null)[] = weights.map(() => null);
    scored.forEach((i, l) => (scores[i] = places[l]!));
    return { scores, reasons: flow.reasons, kept, logFlow };
  } finally {
    await flow.close();
  }
}
