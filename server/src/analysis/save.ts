/**
 * Job `save`: writes the pruned model, reads it back and counts its zeros. The file that was analysed is the file that
 * is pruned: its fingerprint is taken from the open handles before and after.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { EditReport } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { SaveReport } from "../../protocol/report.js";
import type { SaveParams } from "../../protocol/requests.js";
import type { InputScale } from "../formats/format.js";
import { version } from "../version.js";
import { convertsToOnnx } from "./conversion/converts.js";
import { writeAsOnnx } from "./conversion/write-as-onnx.js";
import { prunedEdits } from "./edits/pruned.js";
import { rescaling } from "./edits/rescale.js";
import { proveStable } from "./edits/stable-proof.js";
import { type Folding, foldStable, stableScales } from "./edits/stable-resnet.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";
import { refuseMismatch } from "./parity.js";
import { withPrepared } from "./prepared-model.js";
import { readBack } from "./read-back.js";
import { saveMask } from "./save-mask.js";
import { nearestZeroNotes } from "./save-notes.js";

export async function save(params: SaveParams, context: JobContext): Promise<SaveReport> {
  const { path, recipe, target, replaceOriginal } = params;
  const began = performance.now();
  return withModel(path, (original) => {
    const converts = convertsToOnnx(original.format, target, recipe);
    return withPrepared(path, recipe, context, async (scored, preparations, withoutNodes) => {
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
      if (!original.format.runs) await refuseMismatch(original, recipe.seed, recipe.axes, context);
      const permutation = preparations.find(({ edit }) => edit === "permute")?.permutation;
      // With its steps the recipe finds the same orders again, however fast the machine is.
      const repeatable: Recipe =
        recipe.permute === undefined || permutation === undefined
          ? recipe
          : { ...recipe, permute: { ...recipe.permute, moves: permutation.moves } };
      const { scores, mask, fits, patterns } = await saveMask(scored, recipe, context);
      const rescaled =
        recipe.rescale === undefined ? null : await rescaling(scored, scores, mask, recipe, recipe.rescale, context);
      const write = async (
        base: OpenModel,
        folding: Folding | null,
        scales: readonly InputScale[] = [],
      ): Promise<void> => {
        const writeModel: typeof writeAsOnnx = converts ? writeAsOnnx : (...given) => base.format.write(...given);
        await writeModel(base.source, base.model, {
          target,
          originals: original.source.paths,
          replaceOriginal,
          edits: prunedEdits(base, scored.source, {
            scores,
            mask,
            factors: rescaled?.factors ?? null,
            folding,
            decoded: converts,
          }),
          scales,
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
          const { scales, report } = await stableScales(base, context);
          if (folding === null && base.format.takesNodes) await write(scored, null);
          else await write(base, folding, folding === null ? scales : []);
          written();
          const folded = folding?.tensors.map(({ constant }) => constant) ?? [];
          const given = { folded, axes: recipe.axes, seed: recipe.seed };
          const { words } = await proveStable(base, target, scales, given, context);
          return { ...(folding?.report ?? report), measured: [words] };
        });
        edits.splice(-1, 1, stable);
      }
      if (rescaled !== null) edits.push(rescaled.report);
      const { weights } = scored.search;
      const expected = { weights, mask, fits, pattern: recipe.pattern };
      const found = await withModel(target, (saved) => readBack(saved, expected, context));
      const kept = patterns();
      return {
        path: target,
        bytes: found.bytes,
        recipe: repeatable,
        kept: mask.layers.reduce((sum, layer) => sum + layer.kept, 0),
        prunable: weights.reduce((sum, weight) => sum + weight.size, 0),
        layers: weights.map(({ id, size }, l) => {
          const { zeros, groups, held } = found.layers[l]!;
          const layer = { id, parameters: size, kept: mask.layers[l]!.kept, zeros };
          const pattern = kept?.[l];
          return pattern === undefined ? layer : { ...layer, pattern: { ...pattern, groups, held } };
        }),
        ...(permutation === undefined ? {} : { permutation }),
        edits,
        notes: converts ? [] : nearestZeroNotes(weights, mask),
        writeSeconds,
        seconds: (performance.now() - began) / 1000,
      };
    });
  });
}

function provenance(open: OpenModel, recipe: SaveParams["recipe"]): { key: string; value: string }[] {
  return [
    { key: "prunescope.version", value: version },
    { key: "prunescope.recipe", value: JSON.stringify(recipe) },
    { key: "prunescope.source", value: open.fingerprint },
  ];
}
