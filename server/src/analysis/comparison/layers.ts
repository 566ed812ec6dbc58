/**
 * Layers of two models side by side: zeros of each, and how much of what is left is still what it was. One pass over the
 * stored elements of both, block by block, as the exact numbers that they stand for.
 */
import type { ComparedLayer } from "../../../protocol/compare.js";
import type { LayerId } from "../../../protocol/model.js";
import { blockElements, storedElements } from "../../formats/stored-elements.js";
import { layerLabel, type PrunableWeight } from "../../graph/prunable.js";
import { elementCount } from "../../graph/tensor.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";

/** All layers of `original` in their order, then those that only `pruned` has. */
export async function compareLayers(
  original: OpenModel,
  pruned: OpenModel,
  context: JobContext,
): Promise<ComparedLayer[]> {
  const ids = (model: OpenModel): Map<LayerId, PrunableWeight> =>
    new Map(model.search.weights.map((weight) => [weight.id, weight]));
  const before = ids(original);
  const after = ids(pruned);
  const pairs = [...new Set([...before.keys(), ...after.keys()])].map((id) => ({
    id,
    a: before.get(id) ?? null,
    b: after.get(id) ?? null,
  }));
  const total = pairs.reduce((sum, { a, b }) => sum + Math.max(a?.size ?? 0, b?.size ?? 0), 0);
  const layers: ComparedLayer[] = [];
  let done = 0;
  const counted = async (elements: number): Promise<void> => {
    done += elements;
    context.progress({ stage: "Comparing weights", done, total });
    await context.checkpoint();
  };
  for (const { id, a, b } of pairs) {
    const weight = (a ?? b)!;
    const { shape } = weight;
    const alike = a !== null && b !== null && comparable(a, b);
    const both = alike ? await compareElements(original, a, pruned, b, counted) : null;
    layers.push({
      id,
      op: layerLabel(weight).op,
      shape,
      parameters: elementCount(shape),
      zeros: both?.zeros ?? {
        original: a === null ? null : await countZeros(original, a, counted),
        pruned: b === null ? null : await countZeros(pruned, b, counted),
      },
      unchanged: both?.unchanged ?? null,
    });
  }
  return layers;
}

/** Whether elements of two weights stand at the same places. */
const comparable = (a: PrunableWeight, b: PrunableWeight): boolean =>
  !a.sparse && !b.sparse && a.tensor.dtype === b.tensor.dtype && a.tensor.shape.join() === b.tensor.shape.join();

async function compareElements(
  original: OpenModel,
  a: PrunableWeight,
  pruned: OpenModel,
  b: PrunableWeight,
  counted: (elements: number) => Promise<void>,
): Promise<Pick<ComparedLayer, "unchanged" | "zeros">> {
  const first = storedElements(original.source, a);
  const second = storedElements(pruned.source, b);
  const x = new Float64Array(Math.min(a.size, blockElements));
  const y = new Float64Array(x.length);
  let zerosOriginal = 0;
  let kept = 0;
  let equal = 0;
  for (let start = 0; start < a.size; start += blockElements) {
    const count = Math.min(blockElements, a.size - start);
    first.readExact(start, count, x);
    second.readExact(start, count, y);
    for (let i = 0; i < count; i++) {
      const before = x[i]!;
      const after = y[i]!;
      if (before === first.zero) zerosOriginal++;
      if (after === second.zero) continue;
      kept++;
      // NaN is what it was when it is NaN still.
      if (before === after || (before !== before && after !== after)) equal++;
    }
    await counted(count);
  }
  return {
    zeros: { original: zerosOriginal, pruned: a.size - kept },
    unchanged: kept === 0 ? null : equal / kept,
  };
}

/** Zeros of the dense tensor: of a sparse one, also the elements that the file leaves out. */
async function countZeros(
  { source }: OpenModel,
  weight: PrunableWeight,
  counted: (elements: number) => Promise<void>,
): Promise<number> {
  const elements = storedElements(source, weight);
  let zeros = elementCount(weight.shape) - weight.size;
  for (let start = 0; start < weight.size; start += blockElements) {
    const count = Math.min(blockElements, weight.size - start);
    zeros += elements.countZeros(elements.bytes(start, count).bytes, start, count);
    await counted(count);
  }
  return zeros;
}
