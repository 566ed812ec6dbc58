/** Sensitivity scores of a generated network, with everything of the product behind them: file, data, gradients, ranks, mask. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { maskOf, type RankedScores, rankScores } from "../../server/src/analysis/scoring.js";
import { blockElements } from "../../server/src/formats/stored-elements.js";
import { fillKeep } from "../../server/src/pruning/mask.js";
import { npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import type { Network } from "../support/networks/index.js";

/** What pruning does to one layer. */
export interface PrunedLayer {
  readonly id: string;
  readonly density: number;
  /** Kept share of each output's weights; rows of the stored weight, which are its outputs here. */
  readonly neurons: readonly number[];
}

export interface ScoredNetwork {
  /** Sparsity at which the first layer is gone. */
  readonly criticalSparsity: number;
  readonly layers: readonly PrunedLayer[];
}

/** SBP (|w·∂L/∂w|, cross-entropy with the network's random labels) at the sparsity of `recipe`. */
export async function scoredNetwork(network: Network, recipe: Partial<Recipe>): Promise<ScoredNetwork> {
  const folder = mkdtempSync(join(tmpdir(), "prunescope-paper-"));
  try {
    const model = join(folder, "model.onnx");
    const data = join(folder, "data.npz");
    writeFileSync(model, network.bytes);
    const inputs = Object.entries(network.feeds).map(
      ([name, { data: values, shape }]) => [name, { dtype: "float", shape, values }] as const,
    );
    const labels = { dtype: "int64", shape: network.labels.shape, values: network.labels.data } as const;
    writeFileSync(data, await npz({ ...Object.fromEntries(inputs), labels }));
    const whole: Recipe = { ...defaultRecipe, criterion: "snip", data, ...recipe };
    return await withModel(model, async (open) => {
      const ranked = await rankScores(open, whole, {
        ...quietContext(),
        settings: { threads: availableParallelism(), memoryLimit: 0, cacheMaxSize: 0 },
      });
      const ranks = ranked.lastRanks.filter((rank) => rank !== null);
      return {
        criticalSparsity: ranks.reduce((least, rank) => Math.min(least, rank), Infinity) / ranked.total,
        layers: layersOf(
          ranked,
          whole,
          open.search.weights.map(({ shape }) => shape[0]!),
        ),
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function layersOf(ranked: RankedScores, recipe: Recipe, outputs: readonly number[]): PrunedLayer[] {
  const mask = maskOf(ranked, recipe);
  const keep = new Uint8Array(blockElements);
  return ranked.scores.layers.map(({ id, size }, l) => {
    const { cut, kept } = mask.layers[l]!;
    const rows = outputs[l]!;
    const perRow = size / rows;
    const counts = new Float64Array(rows).fill(cut === null ? perRow : 0);
    if (cut !== null) {
      ranked.scores.blocks(l, (keys, start, count) => {
        fillKeep(ranked.scores, l, cut, keys, start, count, keep);
        for (let i = 0; i < count; i++) counts[Math.floor((start + i) / perRow)]! += keep[i]!;
      });
    }
    return { id, density: kept / size, neurons: Array.from(counts, (count) => count / perRow) };
  });
}
