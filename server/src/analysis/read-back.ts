/** A saved file, read back: zeros of each layer, and of a recipe with a pattern the groups that hold it. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { NofM } from "../../protocol/recipe.js";
import { blockElements, storedElements } from "../formats/stored-elements.js";
import type { PrunableWeight } from "../graph/prunable.js";
import type { Mask } from "../pruning/mask.js";
import { GroupTally, piecesOf } from "../pruning/pattern/count.js";
import { patternFit, type PatternFit } from "../pruning/pattern/eligibility.js";
import { groupCount, type GroupLayout } from "../pruning/pattern/layout.js";
import { nonZerosOf } from "../pruning/pattern/non-zero.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";

/** What was counted in one layer. */
export interface ReadLayer {
  readonly zeros: number;
  /** Groups of the pattern and how many of them hold it; none where the layer does not get it. */
  readonly groups: number;
  readonly held: number;
}

/** What the file has to hold. */
export interface Expected {
  readonly weights: readonly PrunableWeight[];
  readonly mask: Mask;
  readonly pattern: NofM | undefined;
  readonly fits: readonly PatternFit[] | null;
}

/** Reads the saved file back. @throws PruneScopeError `write-failed` when it does not hold what the mask and the pattern say. */
export async function readBack(
  saved: OpenModel,
  { weights, mask, pattern, fits }: Expected,
  context: JobContext,
): Promise<{ layers: ReadLayer[]; bytes: number }> {
  const layers: ReadLayer[] = [];
  const total = saved.search.weights.reduce((sum, weight) => sum + weight.size, 0);
  let done = 0;
  for (const [l, weight] of saved.search.weights.entries()) {
    // Where groups lie depends on the order of axes, which another format may have otherwise.
    const held = pattern !== undefined && fits?.[l]?.layout != null;
    const layout = held ? patternFit(weight, pattern).layout : null;
    const layer =
      layout === null || pattern === undefined
        ? { zeros: zerosOf(saved, weight), groups: 0, held: 0 }
        : countGroups(saved, weight, layout, pattern.n);
    layers.push(layer);
    const { id, size } = weights[l] ?? { id: "", size: -1 };
    const { kept } = mask.layers[l] ?? { kept: 0 };
    // Weights that were zero before may be among the kept ones, so at least this many zeros, and no other layer.
    const same = id === weight.id && size === weight.size;
    if (!same || layer.zeros < size - kept || layer.held < layer.groups) {
      throw new PruneScopeError(
        "write-failed",
        `${saved.source.main} does not hold what was written to it (layer "${weight.id}"). Do not use it.`,
        {
          file: saved.source.main,
          value: weight.id,
        },
      );
    }
    done += weight.size;
    context.progress({ stage: "Reading back", done, total });
    await context.checkpoint();
  }
  return { layers, bytes: saved.source.size() };
}

function zerosOf({ source }: OpenModel, weight: PrunableWeight): number {
  const elements = storedElements(source, weight);
  let zeros = 0;
  for (let start = 0; start < elements.size; start += blockElements) {
    const count = Math.min(blockElements, elements.size - start);
    zeros += elements.countZeros(elements.bytes(start, count).bytes, start, count);
  }
  return zeros;
}

/** One pass that counts zeros and groups. */
function countGroups({ source }: OpenModel, weight: PrunableWeight, layout: GroupLayout, n: number): ReadLayer {
  const elements = nonZerosOf(source, weight);
  const tally = new GroupTally(layout, n);
  const flags = new Uint8Array(Math.min(elements.size, blockElements));
  let zeros = elements.size;
  for (const piece of piecesOf(layout)) {
    const count = piece.rows * piece.width;
    elements.read(piece.start, count, flags);
    for (let i = 0; i < count; i++) zeros -= flags[i]!;
    tally.add(flags, piece);
  }
  const groups = groupCount(layout);
  return { zeros, groups, held: groups - tally.violations };
}
