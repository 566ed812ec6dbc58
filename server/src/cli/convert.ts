/** `prunescope convert`: a TensorFlow.js model as an ONNX file, as it is, which is run against the original. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { pc } from "../analysis/colors.js";
import { plain } from "../analysis/text.js";
import { PruneScopeError } from "../../protocol/errors.js";
import { isJson } from "../../protocol/model-names.js";
import { defaultRecipe } from "../../protocol/recipe.js";
import type { VerifyReport } from "../../protocol/report.js";
import type { CommandEngine } from "./command-engine.js";
import { modelAt, shown } from "./models.js";
import { targetOf } from "./targets.js";

interface Options {
  readonly output: string;
  readonly metadata: boolean;
  readonly verify: boolean;
}

/** What rounding may do between the lowered graph and the file of the same operators, fused otherwise at most. */
const tolerance = 1e-5;

export function addConvert(program: Command, engine: CommandEngine): void {
  program
    .command("convert")
    .description("Save a TensorFlow.js model as ONNX, unpruned.")
    .argument("<model>", "the model.json of a TensorFlow.js model or its folder")
    .requiredOption("-o, --output <path>", "the .onnx file to write")
    .option("--no-metadata", "leave out where it came from")
    .option("--no-verify", "do not run both models and compare their outputs")
    .action(async (given: string, { output, metadata, verify }: Options) => {
      const path = modelAt(resolve(given));
      if (!isJson(path))
        throw new PruneScopeError("bad-request", `${given} is no TensorFlow.js model: only those are converted.`, {
          file: path,
        });
      const target = targetOf(output, path, "onnx");
      const model = { uri: path, path };
      const recipe = { ...defaultRecipe, criterion: "magnitude", sparsity: 0 };
      const { bytes, seconds } = await engine.run("save", {
        ...model,
        recipe,
        target,
        metadata,
        replaceOriginal: false,
      });
      process.stdout.write(
        `${pc.green("saved")} ${plain(shown(target))}, ${(bytes / 1e6).toFixed(2)} MB, in ${seconds.toFixed(2)} s\n`,
      );
      if (!verify) return;
      const { seed, axes: dynamicAxes } = recipe;
      const report = await engine.run("verify", { ...model, pruned: target, seed, dynamicAxes });
      process.stdout.write(`  run in ONNX Runtime on ${plain(report.input)}: ${agreement(report, target)}\n`);
    });
}

/** How far outputs are apart, in words. @throws PruneScopeError `write-failed` where that is more than rounding. */
function agreement({ outputs }: VerifyReport, target: string): string {
  const relative = outputs.map(({ maxDifference, maxOriginal }) =>
    maxDifference === null ? Infinity : maxDifference === 0 ? 0 : maxDifference / Math.max(maxOriginal, 1e-30),
  );
  const worst = Math.max(0, ...relative);
  if (worst > tolerance)
    throw new PruneScopeError(
      "write-failed",
      `${target} does not compute what the original does: outputs differ by ${worst.toPrecision(2)} of the largest. Do not use it.`,
      { file: target },
    );
  return `the largest difference is ${worst === 0 ? "0" : worst.toPrecision(2)} of the largest output (allowed ${tolerance})`;
}
