/**
 * Job `save`: writes the pruned model, reads it back and counts its zeros. The file that was analysed is the file that
 * is pruned: its fingerprint is taken from the open handles before and after.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { SaveReport } from "../../protocol/report.js";
import type { SaveParams } from "../../protocol/requests.js";
import type { TensorEdit } from "../formats/format.js";
import { blockElements, storedElements } from "../formats/stored-elements.js";
import { clearWords, fillKeep, type Mask } from "../pruning/mask.js";
import type { OrderedScores } from "../pruning/order.js";
import { version } from "../version.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";
import { maskOf, rankScores } from "./scoring.js";

export async function save(params: SaveParams, context: JobContext): Promise<SaveReport> {
  const { path, recipe, target, replaceOriginal } = params;
  const began = performance.now();
  return withModel(path, async (open) => {
    const unchanged = (): void => {
      const now = open.source.fingerprint();
      if (now === open.fingerprint && (params.fingerprint ?? now) === now) return;
      throw new PruneScopeError(
        "changed-on-disk",
        `${path} has changed since it was analysed; nothing was saved. Analyse it again.`,
        { file: path },
      );
    };
    unchanged();
    const ranked = await rankScores(open, recipe, context);
    const mask = maskOf(ranked, recipe);
    await open.format.write(open.source, open.model, {
      target,
      replaceOriginal,
      edits: maskEdits(open, ranked.scores, mask),
      scales: [],
      provenance: params.metadata ? provenance(open, recipe) : [],
      progress: async (done, total) => {
        context.progress({ stage: "Writing", done, total });
        await context.checkpoint();
      },
      beforeCommit: unchanged,
    });
    const writeSeconds = (performance.now() - began) / 1000;
    const zeros = await withModel(target, (saved) => countZeros(saved, open, mask, context));
    const { weights } = open.search;
    return {
      path: target,
      bytes: zeros.bytes,
      recipe,
      kept: mask.layers.reduce((sum, layer) => sum + layer.kept, 0),
      prunable: weights.reduce((sum, weight) => sum + weight.size, 0),
      layers: weights.map(({ id, size }, l) => ({
        id,
        parameters: size,
        kept: mask.layers[l]!.kept,
        zeros: zeros.counts[l]!,
      })),
      edits: [],
      writeSeconds,
      seconds: (performance.now() - began) / 1000,
    };
  });
}

/** Edits that clear what the mask does not keep; layers that keep everything are copied as they are. */
function maskEdits(open: OpenModel, scores: OrderedScores, mask: Mask): TensorEdit[] {
  const keep = new Uint8Array(blockElements);
  return open.search.weights.flatMap((weight, l): TensorEdit[] => {
    const { cut } = mask.layers[l]!;
    if (cut === null) return [];
    const { elements } = scores.layers[l]!;
    if (scores.magnitudeDecided && weight.tensor.dtype === "float") {
      const edit: TensorEdit["edit"] = (bytes, start, count) =>
        clearWords(scores, l, cut, new Int32Array(bytes.buffer, bytes.byteOffset, count), start);
      return [{ name: weight.name, tensor: weight.tensor, elements, edit }];
    }
    const edit: TensorEdit["edit"] = (bytes, start, count) => {
      const keys = scores.block(l, start, count);
      fillKeep(scores, l, cut, keys, start, count, keep);
      elements.clear(bytes, start, keep);
    };
    return [{ name: weight.name, tensor: weight.tensor, elements, edit }];
  });
}

function provenance(open: OpenModel, recipe: SaveParams["recipe"]): { key: string; value: string }[] {
  return [
    { key: "prunescope.version", value: version },
    { key: "prunescope.recipe", value: JSON.stringify(recipe) },
    { key: "prunescope.source", value: open.fingerprint },
  ];
}

/** Reads the saved file back. @throws PruneScopeError `write-failed` when it does not hold what the mask says. */
async function countZeros(
  saved: OpenModel,
  original: OpenModel,
  mask: Mask,
  context: JobContext,
): Promise<{ counts: number[]; bytes: number }> {
  const counts: number[] = [];
  const total = saved.search.weights.reduce((sum, weight) => sum + weight.size, 0);
  let done = 0;
  for (const [l, weight] of saved.search.weights.entries()) {
    const elements = storedElements(saved.source, weight);
    let zeros = 0;
    for (let start = 0; start < elements.size; start += blockElements) {
      const count = Math.min(blockElements, elements.size - start);
      zeros += elements.countZeros(elements.bytes(start, count).bytes, start, count);
    }
    counts.push(zeros);
    const { id, size } = original.search.weights[l] ?? { id: "", size: -1 };
    const { kept } = mask.layers[l] ?? { kept: 0 };
    // Weights that were zero before may be among the kept ones, so at least this many zeros, and no other layer.
    if (id !== weight.id || size !== weight.size || zeros < size - kept) {
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
  return { counts, bytes: saved.source.size() };
}
