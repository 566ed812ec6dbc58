/**
 * SynFlow's rounds (Tanaka et al. 2020, arXiv 2006.05467, algorithm 1): after round k of n the ρ^(−k/n) of the weights
 * with the largest shares in the flow are kept, and what is removed stays removed. Weights are ranked by the round that
 * removes them, and within it by their share then.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { blockElements } from "../../formats/stored-elements.js";
import { fillKeep } from "../../pruning/mask.js";
import { type OrderedLayer, OrderedScores } from "../../pruning/order.js";
import { type Cut, select } from "../../pruning/select.js";
import { survey } from "../../pruning/survey.js";
import { Flow } from "./flow.js";
import type { FlowModel } from "./plan.js";

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

/** What marks a weight as not removed yet. */
const alive = -1;

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
    const kept: number[] = [];
    let logFlow = -Infinity;
    for (let round = 1; round <= rounds; round++) {
      await checkpoint();
      const { shares, flow: scaled, exponent } = await flow.run(magnitudes);
      if (round === 1) logFlow = Math.log2(scaled) + exponent;
      const now = scored.map((i) => shares[i]!);
      now.forEach((share, l) => markRemoved(share, places[l]!));
      const layers = scored.map((i, l): OrderedLayer => layerOf(weights[i]!.id, now[l]!, magnitudes[i]!));
      const keep = Math.round(total * compression ** (-round / rounds));
      const ordered = new OrderedScores(layers, true, false, input.seed);
      const cut = await lastRemoved(ordered, total - keep);
      const place = placesOf(now);
      layers.forEach((_, l) => {
        if (cut !== null) remove(ordered, l, cut, magnitudes[scored[l]!]!, places[l]!, round - 1, place);
        if (round === rounds) settle(now[l]!, places[l]!, rounds, place);
      });
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

/** Puts everything that is removed already below all shares. */
function markRemoved(share: Float32Array, places: Float32Array): void {
  for (let i = 0; i < share.length; i++) if (places[i] !== alive) share[i] = -1;
}

function layerOf(id: string, share: Float32Array, magnitudes: Float32Array): OrderedLayer {
  return {
    id,
    size: share.length,
    field: { size: share.length, read: (start, count, out) => out.set(share.subarray(start, start + count)) },
    elements: { readExact: (start, count, out) => out.set(magnitudes.subarray(start, start + count)) },
  };
}

/** The last of `removed` weights in the order; null when none is removed. */
async function lastRemoved(ordered: OrderedScores, removed: number): Promise<Cut | null> {
  const surveys = await survey(
    ordered,
    ordered.layers.map(() => null),
    () => Promise.resolve(),
  );
  const bad = surveys.findIndex((layer) => layer.nonFinite > 0);
  if (bad >= 0) {
    const { id } = ordered.layers[bad]!;
    throw new PruneScopeError(
      "non-finite",
      `SynFlow's scores of layer "${id}" are not finite: the model has weights that are NaN, infinite or too large. Mend the model, or exclude the layer.`,
      { value: id },
    );
  }
  return select(ordered, surveys, [...surveys.keys()], removed).cut;
}

/** Gives what goes in this round its place, and a magnitude of 0. */
function remove(
  ordered: OrderedScores,
  l: number,
  cut: Cut,
  magnitudes: Float32Array,
  places: Float32Array,
  before: number,
  place: (share: number) => number,
): void {
  const keep = new Uint8Array(blockElements);
  ordered.blocks(l, (keys, start, count, shares) => {
    fillKeep(ordered, l, cut, keys, start, count, keep);
    for (let i = 0; i < count; i++) {
      if (keep[i] === 1 || places[start + i] !== alive) continue;
      places[start + i] = before + place(shares[i]!);
      magnitudes[start + i] = 0;
    }
  });
}

/** Gives what is left after the last round its place. */
function settle(share: Float32Array, places: Float32Array, rounds: number, place: (share: number) => number): void {
  for (let i = 0; i < share.length; i++) if (places[i] === alive) places[i] = rounds + place(share[i]!);
}

/** Distance from the ends of [0, 1) that no share comes nearer to: what float32 resolves at any round. */
const margin = 2 ** -10;

/** Maps shares to [0, 1), larger ones higher: 0 to 0, the others by their logarithm. */
function placesOf(shares: readonly Float32Array[]): (share: number) => number {
  let low = Infinity;
  let high = 0;
  for (const layer of shares) {
    for (const share of layer) {
      if (share > high) high = share;
      if (share > 0 && share < low) low = share;
    }
  }
  const from = Math.log2(low);
  const step = high > low ? (1 - 2 * margin) / (Math.log2(high) - from) : 0;
  return (share) => (share > 0 ? margin + (Math.log2(share) - from) * step : 0);
}
