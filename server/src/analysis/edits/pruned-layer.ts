/** One layer as a mask leaves it: its elements, their mean square, and the outputs that have weights left. */
import { blockElements, storedConstant } from "../../formats/stored-elements.js";
import type { Constant } from "../../graph/graph.js";
import { literalValues } from "../../graph/literal.js";
import type { LayerSite } from "../../meanfield/sites/index.js";
import { fillKeep, type Mask } from "../../pruning/mask.js";
import type { OrderedScores } from "../../pruning/order.js";
import { outputLayout } from "../../pruning/survey.js";
import type { OpenModel } from "../open-model.js";

export interface PrunedLayer {
  /** Elements under the mask; the layer's own where it keeps everything. */
  readonly elements: Float32Array;
  /** The same, or null where the mask keeps everything. */
  readonly masked: Float32Array | null;
  /** Mean square of all elements before pruning, and after it with what is pruned as 0. */
  readonly meanSquare: number;
  readonly maskedMeanSquare: number;
  /** √mean b²; 0 without a bias, null where it cannot be read. */
  readonly sigmaB: number | null;
  /** Share of the outputs that have weights left; 1 where outputs cannot be told apart. */
  readonly living: number;
  /** What outputs without weights add to the mean square over all outputs: their biases. */
  readonly deadMeanSquare: number;
}

/** Reads layer `l`. */
export function prunedLayer(
  open: OpenModel,
  site: LayerSite,
  scores: OrderedScores,
  mask: Mask,
  l: number,
): PrunedLayer {
  const { size, elements: stored } = scores.layers[l]!;
  const { cut } = mask.layers[l]!;
  const elements = new Float32Array(size);
  const keep = new Uint8Array(blockElements).fill(1);
  const layout = outputLayout(site.weight.shape, site.weight.roles, site.weight.sparse);
  const alive = new Uint8Array(layout?.total ?? 0);
  let [all, left] = [0, 0];
  for (let start = 0; start < size; start += blockElements) {
    const count = Math.min(blockElements, size - start);
    const block = elements.subarray(start, start + count);
    if (cut !== null) fillKeep(scores, l, cut, scores.block(l, start, count), start, count, keep);
    stored.read(start, count, block);
    for (let i = 0; i < count; i++) {
      const square = block[i]! ** 2;
      all += square;
      if (keep[i] === 0) block[i] = 0;
      else {
        left += square;
        if (layout !== null && square > 0) {
          const at = start + i;
          const output = Math.floor(at / layout.inner) % layout.outputs;
          alive[output + layout.outputs * Math.floor(at / layout.stride)] = 1;
        }
      }
    }
  }
  const biases = site.computedBias ? null : numbersOf(open, site.bias);
  const dead = layout === null ? 0 : alive.reduce((count, one) => count + (1 - one), 0);
  return {
    elements,
    masked: cut === null ? null : elements,
    meanSquare: all / Math.max(1, size),
    maskedMeanSquare: left / Math.max(1, size),
    sigmaB: biases === null ? null : Math.sqrt(meanOfSquares(biases)),
    living: layout === null ? 1 : 1 - dead / layout.total,
    deadMeanSquare:
      layout === null || dead === 0 || biases === null
        ? 0
        : alive.reduce((sum, one, o) => sum + (one === 1 ? 0 : (biases[o % biases.length] ?? 0) ** 2), 0) /
          layout.total,
  };
}

/** The numbers of a bias; none without one, null where they cannot be read. */
function numbersOf({ source }: OpenModel, bias: Constant | null): readonly number[] | null {
  if (bias === null) return [];
  const held = literalValues(bias);
  if (held !== null) return held;
  const elements = storedConstant(source, bias);
  if (elements === null) return null;
  const numbers: number[] = [];
  const block = new Float32Array(blockElements);
  for (let start = 0; start < elements.size; start += blockElements) {
    const count = Math.min(blockElements, elements.size - start);
    elements.read(start, count, block);
    for (let i = 0; i < count; i++) numbers.push(block[i]!);
  }
  return numbers.every(Number.isFinite) ? numbers : null;
}

const meanOfSquares = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, values.length);
