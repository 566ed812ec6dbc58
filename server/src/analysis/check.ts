/** Job `check`: counts on the stored elements of a file, whoever wrote it, whether its layers hold an N:M pattern. */
import { PruneScopeError, toErrorData } from "../../protocol/errors.js";
import type { CheckParams } from "../../protocol/requests.js";
import type { CheckReport, LayerCheck } from "../../protocol/sparsity.js";
import { blockElements } from "../formats/stored-elements.js";
import { layerLabel, type PrunableWeight } from "../graph/prunable.js";
import { elementCount } from "../graph/tensor.js";
import { GroupTally, piecesOf, ungrouped } from "../pruning/pattern/count.js";
import { type PatternFit, patternFit } from "../pruning/pattern/eligibility.js";
import { groupCount } from "../pruning/pattern/layout.js";
import { type NonZeros, nonZerosOf } from "../pruning/pattern/non-zero.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";

/** Checks a file. @throws PruneScopeError `bad-request` for an excluded layer that the model does not have. */
export async function check({ path, pattern, exclude }: CheckParams, context: JobContext): Promise<CheckReport> {
  const began = performance.now();
  return withModel(path, async (open) => {
    const { weights } = open.search;
    const stranger = exclude.find((id) => !weights.some((weight) => weight.id === id));
    if (stranger !== undefined)
      throw new PruneScopeError("bad-request", `The model has no prunable layer "${stranger}".`, { value: stranger });
    const total = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const layers: LayerCheck[] = [];
    let done = 0;
    for (const weight of weights) {
      context.progress({ stage: "Counting groups", done, total });
      await context.checkpoint();
      const layer = checkLayer(open, weight, pattern);
      layers.push(exclude.includes(weight.id) ? { ...layer, excluded: true } : layer);
      done += elementCount(weight.shape);
    }
    const able = layers.filter(({ use, excluded }) => use !== "none" && excluded !== true);
    const holds = able.length > 0 && able.every((layer) => layer.violations === 0 && layer.unchecked === undefined);
    return { pattern, holds, layers, seconds: (performance.now() - began) / 1000 };
  });
}

function checkLayer(open: OpenModel, weight: PrunableWeight, pattern: CheckParams["pattern"]): LayerCheck {
  const { use, reason, layout } = denseFit(weight, pattern);
  const known = { id: weight.id, ...layerLabel(weight), weight: weight.name, shape: weight.shape, use, reason };
  let elements: NonZeros;
  try {
    elements = nonZerosOf(open.source, weight);
  } catch (error) {
    if (!weight.sparse) throw error;
    const unchecked = toErrorData(error).message;
    return { ...known, groups: 0, violations: 0, firstViolation: null, sparsity: 0, unchecked };
  }
  const tally = new GroupTally(layout ?? ungrouped(elements.size), pattern.n);
  const flags = new Uint8Array(Math.min(elements.size, blockElements));
  let full = 0;
  for (const piece of piecesOf(layout ?? ungrouped(elements.size))) {
    const count = piece.rows * piece.width;
    full += elements.read(piece.start, count, flags);
    if (layout !== null) tally.add(flags, piece);
  }
  return {
    ...known,
    groups: layout === null ? 0 : groupCount(layout),
    violations: tally.violations,
    firstViolation: tally.first,
    sparsity: (elements.size - full) / elements.size,
  };
}

/** How the dense tensor of a weight stands to a pattern: what a file stores only some elements of can hold one too. */
function denseFit(weight: PrunableWeight, pattern: CheckParams["pattern"]): PatternFit {
  const fit = patternFit(weight.sparse ? { ...weight, sparse: false } : weight, pattern);
  if (!weight.sparse || fit.use !== "kernel") return fit;
  return {
    ...fit,
    use: "pattern-only",
    reason: "the file stores only some of its elements: runtimes fill in the zeros",
  };
}
