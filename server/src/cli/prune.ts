/** `prunescope prune`: writes pruned models and says what was verified: one to a file, a batch into a folder. */
import { type Command, Option } from "commander";
import { pc } from "../analysis/colors.js";
import { failedRow, reportRow, summaryTable, type SummaryRow } from "../analysis/summary-text.js";
import { plain } from "../analysis/text.js";
import { describeError, PruneScopeError } from "../../protocol/errors.js";
import { isJson } from "../../protocol/model-names.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { Report } from "../../protocol/report.js";
import { noInsights } from "../../protocol/view.js";
import type { CommandEngine } from "./command-engine.js";
import { addExportOptions, type ExportOptions, refuseExports, writeExports } from "./exports.js";
import { addFailOn, conclude, type Condition, failsOn, unmetBy } from "./fail-on.js";
import { eachModel, modelsOf, modelsWords, type Outcome, shown } from "./models.js";
import { judged } from "./insights.js";
import { addRecipeOptions, addRescaleOption, recipeOf } from "./recipe-options.js";
import { isFolderName, makeFolderOf, type TargetFormat, targetOf, targetsIn } from "./targets.js";
import { addTfjsNode } from "./tfjs-node.js";
import { verifiedSave } from "./verified-save.js";

interface Options extends ExportOptions {
  readonly output: string;
  readonly metadata: boolean;
  readonly verify: boolean;
  readonly replace?: boolean;
  readonly to?: TargetFormat;
}

/** What became of one model. */
interface Pruned {
  /** Where it was analysed before it was written: in a batch, and where something was asked of it. */
  readonly report: Report | null;
  /** Why it does not meet what was asked; null where it does. */
  readonly unmet: string | null;
}

export function addPrune(program: Command, engine: CommandEngine): void {
  const command = program
    .command("prune")
    .description("Write pruned copies of models.")
    .argument("<model...>", modelsWords);
  addFailOn(addExportOptions(addRescaleOption(addRecipeOptions(addTfjsNode(command, engine)))), "none")
    .requiredOption(
      "-o, --output <path>",
      "the model to write, of TensorFlow.js its folder or model.json; a folder for several, or where it ends with a slash",
    )
    .addOption(
      new Option("--to <format>", "save TensorFlow.js models as ONNX; so does an output that ends in .onnx").choices([
        "onnx",
      ]),
    )
    .option("--replace", "allow the output to be the model itself")
    .option("--no-metadata", "leave the recipe out of the saved model")
    .option("--no-verify", "do not run both models and compare their outputs")
    .action(async (args: readonly string[], options: Options) => {
      const recipe = recipeOf(options);
      const asked = failsOn(options, "none", recipe);
      const models = await modelsOf(args);
      refuseExports(options, models);
      const { several } = models;
      const intoFolder = several || isFolderName(options.output);
      if (intoFolder && options.replace === true)
        throw new PruneScopeError("bad-request", "--replace is for one model that is written over itself.");
      const targets = intoFolder ? targetsIn(options.output, models.paths, recipe, options.to) : null;
      const outcomes = await eachModel(engine, models, async (path): Promise<Pruned> => {
        const target = targets?.get(path) ?? targetOf(options.output, path, options.to);
        const report = several || asked.size > 0 ? await analysed(engine, path, recipe, asked) : null;
        const unmet = report === null ? null : unmetBy(report, asked);
        if (unmet !== null) {
          process.stdout.write(`${pc.red("not written")} ${plain(shown(target))}: ${unmet}\n${several ? "\n" : ""}`);
          return { report, unmet };
        }
        if (targets !== null || isJson(target)) makeFolderOf(target);
        // Before the model is written, which may be over itself.
        const files = await writeExports(engine, path, recipe, options);
        const { lines } = await verifiedSave(engine, {
          path,
          target,
          recipe,
          dynamicAxes: recipe.axes,
          metadata: options.metadata,
          replaceOriginal: options.replace === true,
          verify: options.verify,
        });
        process.stdout.write(`${[...files, ...lines].join("\n")}\n${several ? "\n" : ""}`);
        return { report, unmet: asked.has("pattern") ? await brokenPattern(engine, target, recipe) : null };
      });
      if (several) process.stdout.write(summaryTable(outcomes.map(rowOf), process.stdout.columns || 120, shown));
      conclude(
        outcomes.map((outcome) => ({
          path: shown(outcome.path),
          words: "error" in outcome ? describeError(outcome.error) : outcome.result.unmet,
        })),
      );
    });
}

/** The report that decides whether a model is written; with paths through the network where these are asked for. */
async function analysed(
  engine: CommandEngine,
  path: string,
  recipe: Recipe,
  asked: ReadonlySet<Condition>,
): Promise<Report> {
  const model = { uri: path, path };
  const { report } = await engine.run("analyze", { ...model, recipe });
  if (!asked.has("high")) return report;
  const collapse = await engine.run("collapse", { ...model, recipe });
  return judged(report, { ...noInsights, collapse });
}

/** Why the written file does not hold the recipe's pattern, counted on it; null where it does. */
async function brokenPattern(engine: CommandEngine, target: string, recipe: Recipe): Promise<string | null> {
  const { pattern, exclude } = recipe;
  if (pattern === undefined) return null;
  const { holds } = await engine.run("check", { uri: target, path: target, pattern, exclude });
  return holds ? null : "the written file does not hold the pattern";
}

function rowOf(outcome: Outcome<Pruned>): SummaryRow {
  if ("error" in outcome) return failedRow(outcome.path, describeError(outcome.error));
  const { report, unmet } = outcome.result;
  return report === null ? failedRow(outcome.path, unmet ?? "") : reportRow(outcome.path, report, unmet, "saved");
}
