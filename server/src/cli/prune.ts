/** `prunescope prune`: writes the pruned model and says what was verified. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { verifiedSave } from "./verified-save.js";
import type { CommandEngine } from "./command-engine.js";
import { addExportOptions, type ExportOptions, writeExports } from "./exports.js";
import { addRecipeOptions, addRescaleOption, recipeOf } from "./recipe-options.js";

interface Options extends ExportOptions {
  readonly output: string;
  readonly metadata: boolean;
  readonly verify: boolean;
  readonly replace?: boolean;
}

export function addPrune(program: Command, engine: CommandEngine): void {
  const command = program
    .command("prune")
    .description("Write a pruned copy of a model.")
    .argument("<model>", "an .onnx file");
  addExportOptions(addRescaleOption(addRecipeOptions(command)))
    .requiredOption("-o, --output <file>", "the model to write")
    .option("--replace", "allow the output to be the model itself")
    .option("--no-metadata", "leave the recipe out of the saved model")
    .option("--no-verify", "do not run both models and compare their outputs")
    .action(async (model: string, options: Options) => {
      const recipe = recipeOf(options);
      const path = resolve(model);
      // Before the model is written, which may be over itself.
      const files = await writeExports(engine, path, recipe, options);
      const { lines } = await verifiedSave(engine, {
        path,
        target: resolve(options.output),
        recipe,
        dynamicAxes: recipe.axes,
        metadata: options.metadata,
        replaceOriginal: options.replace === true,
        verify: options.verify,
      });
      process.stdout.write(`${[...files, ...lines].join("\n")}\n`);
    });
}
