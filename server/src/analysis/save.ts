/**
 * Job `save`: writes the pruned model, reads it back and counts its zeros. The file that was analysed is the file that
 * is pruned: its fingerprint is taken from the open handles before and after.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { EditReport } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { SaveReport } from "../../protocol/report.js";
import type { SaveParams } from "../../protocol/requests.js";
import { blockElements, storedElements } from "../formats/stored-elements.js";
import type { Mask } from "../pruning/mask.js";
import { version } from "../version.js";
import { prunedEdits } from "./edits/pruned.js";
import { rescaling } from "./edits/rescale.js";
import { proveStable } from "./edits/stable-proof.js";
import { type Folding, foldStable, stableScales } from "./edits/stable-resnet.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";
import { withPrepared } from "./prepared-model.js";
import { maskOf, rankScores } from "./scoring.js";

export async function save(params: SaveParams, context: JobContext): Promise<SaveReport> {
  const { path, recipe, target, replaceOriginal } = params;
  const began = performance.now();
  return withModel(path, (original) =>
    withPrepared(path, recipe, context, async (scored, preparations, withoutNodes) => {
      const unchanged = (): void => {
        const now = original.source.fingerprint();
        if (now === original.fingerprint && (params.fingerprint ?? now) === now) return;
        throw new PruneScopeError(
          "changed-on-disk",
          `${path} has changed since it was analysed; nothing was saved. Analyse it again.`,
          { file: path },
        );
      };
      unchanged();
      const permutation = preparations.find(({ edit }) => edit === "permute")?.permutation;
      // With its steps the recipe finds the same orders again, however fast the machine is.
      const repeatable: Recipe =
        recipe.permute === undefined || permutation === undefined
          ? recipe
          : { ...recipe, permute: { ...recipe.permute, moves: permutation.moves } };
      const ranked = await rankScores(scored, recipe, context);
      const mask = maskOf(ranked, recipe);
      const rescaled =
        recipe.rescale === undefined ? null : await rescaling(scored, ranked, mask, recipe, recipe.rescale, context);
      const write = async (base: OpenModel, folding: Folding | null): Promise<void> => {
        await base.format.write(base.source, base.model, {
          target,
          originals: original.source.paths,
          replaceOriginal,
          edits: prunedEdits(base, scored.source, {
            scores: ranked.scores,
            mask,
            factors: rescaled?.factors ?? null,
            folding,
          }),
          scales: [],
          provenance: params.metadata ? provenance(original, repeatable) : [],
          progress: async (done, total) => {
            context.progress({ stage: "Writing", done, total });
            await context.checkpoint();
          },
          beforeCommit: () => {
            unchanged();
            if (!replaceOriginal) return;
            // Windows gives no name to a file that is open under it. The proof of folded factors needs the old numbers.
            original.source.close();
            if (recipe.stableResnet === undefined) base.source.close();
          },
        });
      };
      const edits: EditReport[] = preparations.map(({ edit, words, changes, measured }) => ({
        edit,
        words,
        changes,
        measured,
      }));
      let writeSeconds = 0;
      const written = (): void => {
        writeSeconds = (performance.now() - began) / 1000;
      };
      if (recipe.stableResnet === undefined) {
        await write(scored, null);
        written();
      } else {
        const stable = await withoutNodes(async (base) => {
          // Scores are those of the form with nodes; what is folded has none, and the factors in its numbers.
          const folding = recipe.stableResnet === "fold" ? foldStable(base) : null;
          await write(folding === null ? scored : base, folding);
          written();
          const { scales, report } = await stableScales(base, context);
          const folded = folding?.tensors.map(({ constant }) => constant) ?? [];
          const given = { folded, axes: recipe.axes, seed: recipe.seed };
          const { words } = await proveStable(base, target, scales, given, context);
          return { ...(folding?.report ?? report), measured: [words] };
        });
        edits.splice(-1, 1, stable);
      }
      if (rescaled !== null) edits.push(rescaled.report);
      const zeros = await withModel(target, (saved) => countZeros(saved, scored, mask, context));
      const { weights } = scored.search;
      return {
        path: target,
        bytes: zeros.bytes,
        recipe: repeatable,
        kept: mask.layers.reduce((sum, layer) => sum + layer.kept, 0),
        prunable: weights.reduce((sum, weight) => sum + weight.size, 0),
        layers: weights.map(({ id, size }, l) => ({
          id,
          parameters: size,
          kept: mask.layers[l]!.kept,
          zeros: zeros.counts[l]!,
        })),
        ...(permutation === undefined ? {} : { permutation }),
        edits,
        writeSeconds,
        seconds: (performance.now() - began) / 1000,
      };
    }),
  );
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
