/**
 * Whether a model's BatchNormalization layers have seen data, and which statistics they are to use: a fresh network is
 * judged by those of the batch, as references of SNIP and GraSP do at initialisation.
 */
import type { BatchNormMode } from "../../protocol/recipe.js";
import type { Dataset } from "../data/dataset.js";
import type { Source } from "../formats/source.js";
import { blockElements, storedConstant } from "../formats/stored-elements.js";
import { type Constant, type Graph, type Node, operatorLabel } from "../graph/graph.js";
import { type Links, linksOf } from "../graph/links.js";
import { literalValues } from "../graph/literal.js";
import { allGraphs } from "../graph/traversal.js";
import { constantBehind } from "../graph/weighted-sum.js";

/**
 * `fresh`: every layer has the scale, shift, mean and variance of initialisation; `unclear`: scale and shift are as
 * initialised, but statistics are of data (forward passes leave that, and so does training without scale and shift), or
 * something is computed; `none`: there is no such layer.
 */
export type BatchNormState = "none" | "fresh" | "unclear" | "trained";

export interface BatchNormFinding {
  readonly state: BatchNormState;
  /** What was found, without a subject and a full stop; empty where there is no layer. */
  readonly words: string;
}

/** Looks at the BatchNormalization layers of a graph and its subgraphs. */
export function batchNormState(graph: Graph, source: Source): BatchNormFinding {
  const found: ("fresh" | "warm" | "computed" | "trained")[] = [];
  for (const one of allGraphs(graph)) {
    const links = linksOf(one);
    for (const node of one.nodes) {
      if (operatorLabel(node) === "BatchNormalization") found.push(layerState(node, links, source));
    }
  }
  const count = (state: (typeof found)[number]): number => found.filter((one) => one === state).length;
  if (found.length === 0) return { state: "none", words: "" };
  const of = `${found.length} ${found.length === 1 ? "layer" : "layers"}`;
  if (count("trained") > 0)
    return { state: "trained", words: `${count("trained")} of ${of} have a scale and shift that were trained` };
  if (count("warm") > 0)
    return {
      state: "unclear",
      words: `scale and shift are as initialised, but ${count("warm")} of ${of} have running statistics of data`,
    };
  if (count("computed") > 0)
    return { state: "unclear", words: `parameters of ${count("computed")} of ${of} are computed` };
  return {
    state: "fresh",
    words: `mean 0, variance 1, scale 1 (or 0, as a last one of a branch starts) and shift 0 in ${of}`,
  };
}

/** Scale, shift, mean and variance of one layer, found behind what only moves them: exports share equal tensors by Identity. */
function layerState(node: Node, links: Links, source: Source): "fresh" | "warm" | "computed" | "trained" {
  const range = (index: number): { readonly least: number; readonly most: number } | null => {
    const constant = constantBehind(links, node.inputs[index] ?? "");
    return constant === null ? null : rangeOf(constant, source);
  };
  const [scale, shift, mean, variance] = [range(1), range(2), range(3), range(4)];
  if (scale === null || shift === null || mean === null || variance === null) return "computed";
  const all = ({ least, most }: { least: number; most: number }, value: number): boolean =>
    least === value && most === value;
  // A scale of 0 everywhere is how the last layer of a residual branch may start (Goyal et al. 2017).
  if (!(all(scale, 1) || all(scale, 0)) || !all(shift, 0)) return "trained";
  return all(mean, 0) && all(variance, 1) ? "fresh" : "warm";
}

/** Least and largest element; null where they cannot be read. */
function rangeOf(constant: Constant, source: Source): { readonly least: number; readonly most: number } | null {
  const elements = storedConstant(source, constant);
  let [least, most] = [Infinity, -Infinity];
  const block = elements === null ? literalValues(constant) : new Float32Array(Math.min(elements.size, blockElements));
  if (block === null || block.length === 0) return null;
  for (let start = 0; start < (elements?.size ?? 1); start += blockElements) {
    const count = elements === null ? block.length : Math.min(blockElements, elements.size - start);
    if (elements !== null) elements.read(start, count, block as Float32Array);
    for (let i = 0; i < count; i++) {
      least = Math.min(least, block[i]!);
      most = Math.max(most, block[i]!);
    }
  }
  return { least, most };
}

/** Least number of samples whose statistics stand for a BatchNormalization layer's. */
const leastForBatchStatistics = 32;

/** How a model is run. */
interface Runs {
  readonly data: Pick<Dataset, "samples" | "samplesPerRun">;
  /** Samples per run. */
  readonly count: number;
  /** The criterion looks at single samples. */
  readonly perSample: boolean;
}

/** Which statistics BatchNormalization uses, null where there is none, and sentences that say so. */
export function chooseStatistics(
  state: BatchNormState,
  wanted: BatchNormMode,
  runs: Runs,
): { readonly mode: "stored" | "batch" | null; readonly notes: readonly string[] } {
  if (state === "none") return { mode: null, notes: [] };
  const automatic = state === "fresh" ? "batch" : "stored";
  const mode = wanted === "auto" ? automatic : wanted;
  const why = wanted === "auto" ? ` (its layers look ${state === "fresh" ? "freshly initialised" : "trained"})` : "";
  if (mode === "stored") return { mode, notes: [`BatchNormalization: stored statistics${why}.`] };
  const obstacle = obstacleOf(runs);
  if (obstacle === null) return { mode, notes: [`BatchNormalization: statistics of the batch${why}.`] };
  return { mode: "stored", notes: [`BatchNormalization: stored statistics, not the batch's: ${obstacle}.`] };
}

/** Why the statistics of the batch cannot be used; null when they can. */
function obstacleOf({ data, count, perSample }: Runs): string | null {
  if (perSample) return "this criterion looks at one sample at a time";
  if (count < data.samples)
    return data.samplesPerRun === null
      ? "the batch does not fit into one run"
      : `the model takes ${count} ${count === 1 ? "sample" : "samples"} at a time`;
  if (count < leastForBatchStatistics)
    return `it takes ${leastForBatchStatistics} samples or more, and there ${count === 1 ? "is 1" : `are ${count}`}`;
  return null;
}
