/** Whether a model's BatchNormalization layers have seen data, and which statistics they are to use. */
import type { BatchNormMode } from "../../protocol/recipe.js";
import type { Dataset } from "../data/dataset.js";
import type { Source } from "../formats/source.js";
import { type Graph, operatorLabel } from "../graph/graph.js";
import { constantTensor } from "./constant-tensor.js";

/** `fresh`: every layer has the scale, shift, mean and variance of initialisation; `none`: there is no such layer. */
export type BatchNormState = "none" | "fresh" | "trained";

/** Scale, shift, mean and variance of a layer that has seen no data. */
const initial = [1, 0, 0, 1] as const;

/** Looks at the BatchNormalization layers of a flat graph. */
export async function batchNormState(graph: Graph, source: Source): Promise<BatchNormState> {
  const layers = graph.nodes.filter((node) => operatorLabel(node) === "BatchNormalization");
  for (const layer of layers) {
    for (const [i, expected] of initial.entries()) {
      const constant = graph.constants.get(layer.inputs[i + 1] ?? "");
      if (constant === undefined) return "trained";
      const { data } = await constantTensor(source, constant);
      if (!Array.from(data as ArrayLike<number>).every((value) => value === expected)) return "trained";
    }
  }
  return layers.length === 0 ? "none" : "fresh";
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
