/** `prunescope analyze`: what pruning would do, as a table, JSON, CSV or an HTML page. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { insightText } from "../analysis/insight-text.js";
import { reportCsv, reportTable } from "../analysis/report-text.js";
import { PruneScopeError } from "../../protocol/errors.js";
import type { CommandEngine } from "./command-engine.js";
import { htmlReport } from "./html-report.js";
import { addExportOptions, type ExportOptions, writeExports } from "./exports.js";
import { addInsightOptions, insightsOf, judged, withInsights } from "./insights.js";
import { addRecipeOptions, recipeOf } from "./recipe-options.js";

interface Options extends ExportOptions {
  readonly format: "table" | "json" | "csv" | "html";
  readonly output?: string;
}

export function addAnalyze(program: Command, engine: CommandEngine): void {
  const command = program
    .command("analyze")
    .description("Show what pruning would do to a model.")
    .argument("<model>", "an .onnx file");
  addExportOptions(addInsightOptions(addRecipeOptions(command)))
    .addOption(
      new Option("--format <format>", "what to print").choices(["table", "json", "csv", "html"]).default("table"),
    )
    .option("-o, --output <file>", "write there instead of printing")
    .action(async (model: string, options: Options) => {
      const path = resolve(model);
      const recipe = recipeOf(options);
      const analysis = await engine.run("analyze", { uri: path, path, recipe });
      const insights = await insightsOf(engine, path, recipe, options);
      const report = withInsights(analysis.report, insights);
      const width = process.stdout.columns || 120;
      await deliver(
        options.format === "html"
          ? await htmlReport(
              engine,
              path,
              { ...analysis, report: judged(analysis.report, insights) },
              recipe.axes,
              insights,
            )
          : options.format === "json"
            ? `${JSON.stringify(report, null, 2)}\n`
            : options.format === "csv"
              ? reportCsv(report)
              : reportTable(report, width) + insightText(report, width),
        options.output,
      );
      // Beside the report, which may be read by a program.
      for (const line of await writeExports(engine, path, recipe, options)) process.stderr.write(`${line}\n`);
    });
}

/** Writes `text` to a file, or to standard output. @throws PruneScopeError `write-failed`. */
async function deliver(text: string, output: string | undefined): Promise<void> {
  if (output === undefined) {
    // All of it before the process ends, also into a pipe.
    await new Promise<void>((done) =>
      process.stdout.write(text, () => {
        done();
      }),
    );
    return;
  }
  try {
    await writeFile(output, text);
  } catch (error) {
    throw new PruneScopeError(
      "write-failed",
      `${output} was not written: ${(error as Error).message}.`,
      { file: output },
      { cause: error },
    );
  }
}
