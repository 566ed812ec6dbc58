/** Saves a pruned model and checks it, and puts what was found into lines for a terminal. */
import { realpathSync } from "node:fs";
import { pc } from "../analysis/colors.js";
import { describeError, toErrorData } from "../../protocol/errors.js";
import type { EditReport } from "../../protocol/insights.js";
import { parityWords } from "../../protocol/parity.js";
import { patternText } from "../../protocol/pattern.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { SaveReport } from "../../protocol/report.js";
import type { DynamicAxes } from "../../protocol/requests.js";
import type { SavedView } from "../../protocol/view.js";
import { plain } from "../analysis/text.js";
import type { CommandEngine } from "./command-engine.js";

export interface VerifiedSaveOptions {
  readonly path: string;
  readonly target: string;
  readonly recipe: Recipe;
  readonly dynamicAxes: DynamicAxes;
  readonly metadata: boolean;
  readonly replaceOriginal: boolean;
  /** Run both models and measure compressed sizes. */
  readonly verify: boolean;
}

/** What was saved and found, and the same in words. */
export interface VerifiedSave {
  readonly saved: SavedView;
  readonly lines: readonly string[];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

/** Whether a recipe asks for another function than the original's with some weights removed. */
const changesModel = ({ eocInit, stableResnet, rescale }: Recipe): boolean =>
  [eocInit, stableResnet, rescale].some((change) => change !== undefined);

/** Changes listed by name before the rest is counted. */
const listedChanges = 6;

/** What a save changed besides the mask. */
function editLines({ words, changes, measured }: EditReport): string[] {
  const rest = changes.length - listedChanges;
  return [
    `  ${plain(words)}`,
    ...measured.map((line) => `    ${plain(line)}`),
    ...changes.slice(0, listedChanges).map(({ name, words: what }) => pc.dim(`    ${plain(name)}: ${plain(what)}`)),
    ...(rest > 0 ? [pc.dim(`    and ${rest} more`)] : []),
  ];
}

/** Of a recipe with a pattern: where it holds, counted in the file. */
function patternLines({ recipe, layers }: SaveReport): string[] {
  if (recipe.pattern === undefined) return [];
  const label = patternText(recipe.pattern);
  const holding = layers.flatMap(({ pattern }) => (pattern === undefined || pattern.groups === 0 ? [] : [pattern]));
  if (holding.length === 0) return [pc.yellow(`  no layer can hold ${label}; analyze says why, layer by layer`)];
  const groups = holding.reduce((sum, pattern) => sum + pattern.groups, 0);
  const held = holding.reduce((sum, pattern) => sum + pattern.held, 0);
  return [
    `  ${label} read back: ${held.toLocaleString("en-US")} of ${groups.toLocaleString("en-US")} groups hold it, in ${holding.length} of ${layers.length} layers`,
  ];
}

export async function verifiedSave(engine: CommandEngine, options: VerifiedSaveOptions): Promise<VerifiedSave> {
  const { path, target, recipe, dynamicAxes, metadata, replaceOriginal } = options;
  const model = { uri: path, path };
  const save = await engine.run("save", { ...model, recipe, target, metadata, replaceOriginal });
  const zeros = save.layers.reduce((sum, layer) => sum + layer.zeros, 0);
  const lines = [
    `${pc.green("saved")} ${plain(target)}, ${megabytes(save.bytes)}, in ${save.seconds.toFixed(2)} s`,
    `  read back: ${zeros.toLocaleString("en-US")} of ${save.prunable.toLocaleString("en-US")} prunable weights are zero, in every layer what the mask says`,
    ...patternLines(save),
    ...save.edits.flatMap(editLines),
    ...save.notes.map((note) => `  ${plain(note)}`),
  ];
  // A model that replaced its original has nothing left to be compared with.
  const comparable = options.verify && realpathSync(path) !== realpathSync(target);
  if (!comparable) return { saved: { save, verify: null, compress: null }, lines };

  const verify = await engine
    .run("verify", { ...model, pruned: target, seed: recipe.seed, dynamicAxes })
    .catch(toErrorData);
  if ("code" in verify) lines.push(`  ${pc.yellow("not run")}: ${plain(describeError(verify))}`);
  else {
    lines.push(`  loaded and run in ONNX Runtime on ${plain(verify.input)} (${verify.seconds.toFixed(2)} s):`);
    for (const output of verify.outputs) {
      const { maxDifference: max, meanDifference: mean, maxOriginal } = output;
      const difference =
        max === null || mean === null
          ? "shapes differ, or NaN stands against a number"
          : `largest difference ${max.toPrecision(3)}, mean ${mean.toPrecision(3)} (largest value ${maxOriginal.toPrecision(3)})`;
      lines.push(`    ${plain(output.name)} [${output.shape.join(", ")}]: ${difference}`);
    }
    if (verify.parity !== undefined) lines.push(`  ${plain(parityWords(verify.parity))}`);
  }
  if (changesModel(recipe))
    lines.push(pc.dim("  The recipe changes more than the mask, so that outputs are meant to differ."));
  const compress = await engine.run("compress", { ...model, pruned: target }).catch(toErrorData);
  if ("code" in compress) lines.push(`  ${pc.yellow("not compressed")}: ${plain(describeError(compress))}`);
  else {
    const { original, pruned } = compress;
    const before = `${megabytes(original.bytes)} → ${megabytes(original.compressed)}`;
    lines.push(
      `  zip: original ${before}, pruned ${megabytes(pruned.bytes)} → ${megabytes(pruned.compressed)} (${compress.seconds.toFixed(2)} s)`,
    );
  }
  lines.push(
    pc.dim(
      recipe.pattern === undefined
        ? "  Unstructured zeros alone do not make ONNX Runtime faster; they make the file compress and are where fine-tuning starts."
        : "  A pattern does not make ONNX Runtime faster either; runtimes with sparse kernels (TensorRT, cuSPARSELt) may choose them for it.",
    ),
  );
  return { saved: { save, verify, compress }, lines };
}
