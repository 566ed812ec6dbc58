/**
 * Whether a model's weights are as they were drawn, or trained, with the evidence: statistics of BatchNormalization,
 * biases, the distribution of each layer's weights, and the top of its spectrum. Nothing of it is proof, and every
 * verdict shows what it rests on.
 */
import type { Origin, OriginReport, OriginVote } from "../../../protocol/insights.js";
import { type BatchNormState, batchNormState } from "../../autodiff/batch-norm-state.js";
import { elementCount } from "../../graph/tensor.js";
import type { Graph } from "../../graph/graph.js";
import { allGraphs } from "../../graph/traversal.js";
import { blockElements, storedConstant, type StoredElements, storedElements } from "../../formats/stored-elements.js";
import type { Source } from "../../formats/source.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import type { LayerSite } from "../sites/index.js";
import type { Matrix } from "./spectrum.js";
import { biasVote, distributionVote, spectrumVote } from "./votes.js";
import { weightStatistics, type WeightStatistics } from "./weight-statistics.js";

export interface ModelOrigin {
  readonly model: OriginReport;
  /** In the order of the sites. */
  readonly layers: readonly OriginReport[];
  readonly statistics: readonly WeightStatistics[];
  /** Null where a layer has no constant bias. */
  readonly biases: readonly (WeightStatistics | null)[];
}

/** Most rows and columns of what is looked at of a matrix: a part of independent elements is as independent. */
const largestPart = 192;

/** Reads every weight once. @param between called after each layer, with the elements read so far. */
export async function modelOrigin(
  sites: readonly LayerSite[],
  graph: Graph,
  source: Source,
  between: (done: number) => Promise<void>,
): Promise<ModelOrigin> {
  const statistics: WeightStatistics[] = [];
  const biases: (WeightStatistics | null)[] = [];
  const layers: OriginReport[] = [];
  let done = 0;
  for (const { weight, fanIn, bias } of sites) {
    const elements = storedElements(source, weight);
    const found = weightStatistics(elements);
    const stored = bias === null ? null : storedConstant(source, bias);
    const ofBias = stored === null || bias === null ? null : biasStatistics(stored, elementCount(bias.tensor.shape));
    const votes = [
      ofBias === null ? null : biasVote(ofBias, fanIn),
      distributionVote(found, fansOf(weight, fanIn)),
      found.nonFinite > 0 ? null : spectrumVote(partOf(weight, elements)),
    ].filter((vote) => vote !== null);
    statistics.push(found);
    biases.push(ofBias);
    layers.push({ verdict: layerVerdict(votes), votes });
    done += weight.size;
    await between(done);
  }
  const states: BatchNormState[] = [];
  for (const one of allGraphs(graph)) states.push(await batchNormState(one, source));
  const state = states.includes("trained") ? "trained" : states.includes("fresh") ? "fresh" : "none";
  return { model: modelVerdict(state, sites, layers), layers, statistics, biases };
}

const biasStatistics = (elements: StoredElements, size: number): WeightStatistics =>
  weightStatistics({
    size,
    read: (start, count, out) => {
      elements.read(start, count, out);
    },
  });

function fansOf({ roles, shape }: PrunableWeight, fanIn: number | null): { fanIn: number; fanOut: number } | null {
  if (fanIn === null || roles.out.length === 0) return null;
  const product = (axes: readonly number[]): number => axes.reduce((all, axis) => all * shape[axis]!, 1);
  return { fanIn, fanOut: product(roles.out) * product(roles.spatial) };
}

/** A corner of the matrix of outputs by everything that is summed over; null where axes are not known, or for groups of one input. */
function partOf({ shape, roles, size, sparse }: PrunableWeight, elements: StoredElements): Matrix | null {
  const [out] = roles.out;
  if (out === undefined || roles.out.length !== 1 || roles.in.length === 0 || sparse || shape.length === 0) return null;
  const inner = elementCount(shape.slice(out + 1));
  const outputs = shape[out]!;
  const outer = size / (inner * outputs);
  // Where outputs lie last, a column is a row of the tensor; else a row of the matrix is one piece of the tensor.
  const rows = Math.min(outputs, largestPart);
  const columns = Math.min(inner * outer, inner === 1 || outer === 1 ? largestPart * 4 : 0);
  if (columns === 0) return null;
  const made = new Float64Array(rows * columns);
  if (outer === 1) {
    for (let row = 0; row < rows; row++) copy(elements, row * inner, columns, made, row * columns);
    return { rows, columns, elements: made };
  }
  // [outer, outputs]: the matrix is stored as its transpose.
  for (let column = 0; column < columns; column++) copy(elements, column * outputs, rows, made, column * rows);
  return { rows: columns, columns: rows, elements: made };
}

/** Elements [start, start + count) that may lie in two blocks. */
function copy(elements: StoredElements, start: number, count: number, out: Float64Array, at: number): void {
  const block = new Float32Array(Math.min(count, blockElements));
  elements.read(start, count, block);
  out.set(block.subarray(0, count), at);
}

function layerVerdict(votes: readonly OriginVote[]): Origin {
  if (votes.some(({ test, verdict }) => test !== "biases" && verdict === "trained")) return "trained";
  const weights = votes.filter(({ test }) => test === "distribution" || test === "spectrum");
  if (weights.some(({ verdict }) => verdict === "unclear") || weights.length === 0) return "unclear";
  // Weights as they were drawn with biases that were not: something has been at work.
  return votes.some(({ test, verdict }) => test === "biases" && verdict === "trained") ? "unclear" : "fresh";
}

/** Shares of the weights that decide. */
const decisive = { fresh: 0.9, trained: 0.5 } as const;

function modelVerdict(
  state: BatchNormState,
  sites: readonly LayerSite[],
  layers: readonly OriginReport[],
): OriginReport {
  const count = (verdict: Origin): number => layers.filter((layer) => layer.verdict === verdict).length;
  const weight = (verdict: Origin): number =>
    layers.reduce((sum, layer, l) => sum + (layer.verdict === verdict ? sites[l]!.weight.size : 0), 0);
  const [fresh, trained] = [weight("fresh"), weight("trained")];
  const told = fresh + trained;
  const votes: OriginVote[] = [];
  if (state !== "none")
    votes.push({
      test: "batch-norm",
      verdict: state,
      words:
        state === "fresh"
          ? "BatchNormalization has the statistics of initialisation in every layer."
          : "BatchNormalization has statistics of data.",
    });
  const byWeights: Origin =
    told === 0
      ? "unclear"
      : fresh >= decisive.fresh * told
        ? "fresh"
        : trained >= decisive.trained * told
          ? "trained"
          : "unclear";
  votes.push({
    test: "distribution",
    verdict: byWeights,
    words: `Of ${layers.length} ${layers.length === 1 ? "layer" : "layers"} ${count("fresh")} look drawn, ${count("trained")} trained, ${count("unclear")} cannot be told.`,
  });
  const verdict: Origin =
    state === "none" || state === byWeights || (byWeights === "trained" && state === "fresh")
      ? byWeights
      : byWeights === "unclear"
        ? state
        : "unclear";
  return { verdict, votes };
}
