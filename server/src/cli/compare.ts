/** `prunescope compare`: an original and a pruned model side by side. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { comparisonText } from "../analysis/comparison-text.js";
import type { CommandEngine } from "./command-engine.js";
import { modelAt, modelWords } from "./models.js";
import { numberIn } from "./option-values.js";
import { addDataOptions, dataRecipeOf } from "./recipe-options.js";

interface Options {
  readonly latency: number;
  readonly format: "json" | "table";
}

export function addCompare(program: Command, engine: CommandEngine): void {
  const command = program
    .command("compare")
    .description("Show two models side by side: layers, sizes, outputs on the same input, accuracy, latency.")
    .argument("<original>", modelWords)
    .argument("<pruned>", "the same model, pruned");
  addDataOptions(command, "samples on which outputs are compared")
    .option("--latency <seconds>", "time for measuring latency; 0 leaves it out", numberIn(0, 3600, true), 5)
    .addOption(new Option("--format <format>", "what to print").choices(["table", "json"]).default("table"))
    .action(async (original: string, pruned: string, { latency, format, ...options }: Options) => {
      const path = modelAt(resolve(original));
      const report = await engine.run("compare", {
        uri: path,
        path,
        pruned: modelAt(resolve(pruned)),
        recipe: dataRecipeOf(options),
        latencySeconds: latency,
      });
      process.stdout.write(
        format === "json"
          ? `${JSON.stringify(report, null, 2)}\n`
          : comparisonText(report, process.stdout.columns || 120),
      );
    });
}
