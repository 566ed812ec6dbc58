/** `prunescope analyze`: what pruning would do, as a table, JSON, CSV, SARIF or an HTML page, for one model or a batch. */
import { relative } from "node:path";
import { type Command, Option } from "commander";
import { reportFindings } from "../analysis/findings.js";
import { heldText } from "../analysis/held-text.js";
import { insightText } from "../analysis/insight-text.js";
import { reportsCsv, reportCsv, reportTable } from "../analysis/report-text.js";
import { sarifText } from "../analysis/report-sarif.js";
import { failedRow, reportRow, summaryTable } from "../analysis/summary-text.js";
import { describeError, PruneScopeError } from "../../protocol/errors.js";
import { batchSchema, type BatchReport } from "../../protocol/batch.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { AnalysisResult, Report } from "../../protocol/report.js";
import type { Insights } from "../../protocol/view.js";
import type { CommandEngine } from "./command-engine.js";
import { addFailOn, conclude, failsOn, unmetBy } from "./fail-on.js";
import { htmlReport } from "./html-report.js";
import { addExportOptions, type ExportOptions, refuseExports, writeExports } from "./exports.js";
import { addInsightOptions, insightsOf, judged, withInsights } from "./insights.js";
import { eachModel, type Models, modelsOf, modelsWords, type Outcome } from "./models.js";
import { Output } from "./output.js";
import { addRecipeOptions, recipeOf } from "./recipe-options.js";
import { addTfjsNode } from "./tfjs-node.js";

interface Options extends ExportOptions {
  readonly format: "table" | "json" | "csv" | "sarif" | "html";
  readonly output?: string;
}

/** What was found out about one model. */
interface Analysed {
  readonly analysis: AnalysisResult;
  readonly insights: Insights;
  /** With everything. */
  readonly report: Report;
}

export function addAnalyze(program: Command, engine: CommandEngine): void {
  const command = program
    .command("analyze")
    .description("Show what pruning would do to models.")
    .argument("<model...>", modelsWords);
  addFailOn(addExportOptions(addInsightOptions(addRecipeOptions(addTfjsNode(command, engine)))), "none")
    .addOption(
      new Option("--format <format>", "what to print")
        .choices(["table", "json", "csv", "sarif", "html"])
        .default("table"),
    )
    .option("-o, --output <file>", "write there instead of printing")
    .action(async (args: readonly string[], options: Options) => {
      const { format } = options;
      const recipe = recipeOf(options);
      const asked = failsOn(options, "none", recipe);
      const models = await modelsOf(args);
      refuseExports(options, models);
      if (format === "html" && models.several)
        throw new PruneScopeError("bad-request", "An HTML page shows one model: name one, or take another format.");
      const output = new Output(options.output);
      const outcomes = await eachModel(engine, models, async (path) => {
        const analysed = await analyse(engine, path, recipe, options);
        if (format === "table") await output.write(tableOf(analysed.report, models));
        return analysed;
      });
      const [first] = outcomes;
      if (format === "html" && first !== undefined && "result" in first) {
        const { analysis, insights } = first.result;
        const shown = { ...analysis, report: judged(analysis.report, insights) };
        await output.write(await htmlReport(engine, first.path, shown, recipe.axes, insights));
      } else await output.write(textOf(outcomes, models, format, (report) => unmetBy(report, asked)));
      await output.end();
      // Beside the report, which may be read by a program.
      if (first !== undefined)
        for (const line of await writeExports(engine, first.path, recipe, options)) process.stderr.write(`${line}\n`);
      conclude(
        outcomes.map((outcome) => ({
          path: outcome.path,
          words: "error" in outcome ? describeError(outcome.error) : unmetBy(outcome.result.report, asked),
        })),
      );
    });
}

async function analyse(engine: CommandEngine, path: string, recipe: Recipe, options: unknown): Promise<Analysed> {
  const analysis = await engine.run("analyze", { uri: path, path, recipe });
  const insights = await insightsOf(engine, analysis.report, recipe, options);
  return { analysis, insights, report: withInsights(analysis.report, insights) };
}

const columns = (): number => process.stdout.columns || 120;

/** A model's table; in a batch an empty line stands behind each. */
function tableOf(report: Report, { several }: Models): string {
  const { held } = report;
  const known = held === undefined ? "" : heldText(held, columns());
  return reportTable(report, columns()) + known + insightText(report, columns()) + (several ? "\n" : "");
}

/** All outcomes in a format; what a table shows of each model has been written. */
function textOf(
  outcomes: readonly Outcome<Analysed>[],
  { several }: Models,
  format: Options["format"],
  unmet: (report: Report) => string | null,
): string {
  const reports = outcomes.flatMap((outcome) => ("result" in outcome ? [outcome.result.report] : []));
  const failed = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome] : []));
  switch (format) {
    case "json": {
      if (!several) return `${JSON.stringify(reports[0], null, 2)}\n`;
      const models = outcomes.map((outcome) =>
        "result" in outcome ? outcome.result.report : { model: { path: outcome.path }, error: outcome.error },
      );
      const batch: BatchReport = { schema: batchSchema, models };
      return `${JSON.stringify(batch, null, 2)}\n`;
    }
    case "csv":
      return several ? reportsCsv(reports) : reportCsv(reports[0]!);
    case "sarif":
      return sarifText(reports.flatMap(reportFindings), failed, process.cwd());
    default:
      if (!several) return "";
      return summaryTable(
        outcomes.map((outcome) =>
          "error" in outcome
            ? failedRow(outcome.path, describeError(outcome.error))
            : reportRow(outcome.path, outcome.result.report, unmet(outcome.result.report), "analysed"),
        ),
        columns(),
        (path) => relative(process.cwd(), path) || path,
      );
  }
}
