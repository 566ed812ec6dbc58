/**
 * The edits of a save: what the mask does not keep becomes 0, and what is left is multiplied by what rescaling and
 * folding ask for. One edit for each tensor, so that no two meet.
 */
import { DecodedElements } from "../../formats/decoded-elements.js";
import type { TensorEdit } from "../../formats/format.js";
import { blockElements, type StoredElements, storedElements } from "../../formats/stored-elements.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { storageKey } from "../../graph/tensor.js";
import { clearWords, fillKeep, type Mask, removesNoMore } from "../../pruning/mask.js";
import type { OrderedScores } from "../../pruning/order.js";
import { PatternField } from "../../pruning/pattern/field.js";
import type { Cut } from "../../pruning/select.js";
import type { OpenModel } from "../open-model.js";
import { type Folding, multiplied } from "./stable-resnet.js";

export interface Pruned {
  readonly scores: OrderedScores;
  readonly mask: Mask;
  /** By which what is left of each weight is multiplied; null when nothing is. */
  readonly factors: readonly number[] | null;
  readonly folding: Folding | null;
  /** Whether numbers are written in the place of codes that stand for them in the file. */
  readonly decoded: boolean;
}

/** @param base the model that is copied: the one that was scored, or one of the same weights. @param scored files of the one that was scored. */
export function prunedEdits(
  base: OpenModel,
  scored: OpenModel["source"],
  { scores, mask, factors, folding, decoded }: Pruned,
): TensorEdit[] {
  const folded = new Map(folding?.tensors.map((one) => [storageKey(one.constant.tensor), one]));
  const edits = base.search.weights.flatMap((weight, l): TensorEdit[] => {
    const { cut } = mask.layers[l]!;
    const key = storageKey(weight.tensor);
    const factor = (factors?.[l] ?? 1) * (folded.get(key)?.factor ?? 1);
    folded.delete(key);
    if (cut === null && factor === 1) return [];
    const stored = base.source === scored ? scores.layers[l]!.elements : storedElements(base.source, weight);
    const elements = decoded && weight.tensor.encoding !== "raw" ? new DecodedElements(weight, stored) : stored;
    return [
      { name: weight.name, tensor: weight.tensor, elements, edit: editOf(scores, l, weight, elements, cut, factor) },
    ];
  });
  // Scales and shifts of norms, biases.
  for (const { constant, elements, factor } of folded.values())
    edits.push({ name: constant.name, tensor: constant.tensor, elements, edit: multiplied(elements, factor) });
  return edits;
}

function editOf(
  scores: OrderedScores,
  l: number,
  weight: PrunableWeight,
  elements: StoredElements,
  cut: Cut | null,
  factor: number,
): TensorEdit["edit"] {
  if (cut === null) return multiplied(elements, factor);
  if (factor !== 1) return scaledEdit(scores, l, elements, cut, factor);
  const scoredHere = scores.layers[l]!.elements === elements;
  const { dtype, encoding } = weight.tensor;
  const floats = dtype === "float" && encoding === "raw";
  // Signed scores are no words without their sign: a restriction has its part in them.
  if (scoredHere && scores.magnitudeDecided && !scores.signed && floats)
    return (bytes, start, count) => {
      clearWords(scores, l, cut, new Int32Array(bytes.buffer, bytes.byteOffset, count), start);
    };
  const { field } = scores.layers[l]!;
  // Without a look at magnitudes, scoring leaves the buffer alone that these bytes lie in.
  const words = floats && scores.magnitudeDecided;
  if (scoredHere && words && field instanceof PatternField && removesNoMore(cut, scores))
    return (bytes, start, count) => {
      field.clearWords(new Int32Array(bytes.buffer, bytes.byteOffset, count), start);
    };
  const keep = new Uint8Array(blockElements);
  return (bytes, start, count) => {
    // Scoring reads other blocks, or other files, into the buffer that these bytes lie in.
    const held = Uint8Array.from(bytes);
    const keys = scores.block(l, start, count);
    fillKeep(scores, l, cut, keys, start, count, keep);
    elements.clear(held, start, keep);
    bytes.set(held);
  };
}

/** Numbers that are kept are multiplied, the others become 0. */
function scaledEdit(
  scores: OrderedScores,
  l: number,
  elements: StoredElements,
  cut: Cut,
  factor: number,
): TensorEdit["edit"] {
  const keep = new Uint8Array(blockElements);
  const values = new Float64Array(blockElements);
  return (bytes, start, count) => {
    const block = values.subarray(0, count);
    elements.readExact(start, count, block);
    const keys = scores.block(l, start, count);
    fillKeep(scores, l, cut, keys, start, count, keep);
    for (let i = 0; i < count; i++) block[i] = keep[i] === 0 ? 0 : block[i]! * factor;
    elements.write(bytes, block);
  };
}
