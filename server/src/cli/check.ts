/** `prunescope check`: proves on files, whoever wrote them, that every layer that can hold an N:M pattern does. */
import { type Command, Option } from "commander";
import { checkHeadline, checkTable } from "../analysis/check-text.js";
import { checkFindings } from "../analysis/findings.js";
import { sarifText } from "../analysis/report-sarif.js";
import { failedRow, summaryTable, type SummaryRow } from "../analysis/summary-text.js";
import { deadOutputLimits } from "../pruning/risk.js";
import { type CheckedModels, checkSchema } from "../../protocol/batch.js";
import { describeError } from "../../protocol/errors.js";
import type { NofM } from "../../protocol/recipe.js";
import type { CheckReport, HeldReport } from "../../protocol/sparsity.js";
import type { CommandEngine } from "./command-engine.js";
import { addFailOn, conclude, failsOn, layersNamed } from "./fail-on.js";
import { eachModel, modelsOf, modelsWords, type Outcome, shown } from "./models.js";
import { pattern } from "./option-values.js";
import { Output } from "./output.js";

interface Options {
  readonly nm: NofM;
  readonly exclude: readonly string[];
  readonly format: "table" | "json" | "sarif";
  readonly output?: string;
}

interface Checked {
  readonly report: CheckReport;
  /** Why the model does not meet what was asked; null where it does. */
  readonly unmet: string | null;
}

export function addCheck(program: Command, engine: CommandEngine): void {
  const command = program
    .command("check")
    .description("Prove that the layers of models hold an N:M pattern, whoever pruned them.")
    .argument("<model...>", modelsWords)
    .requiredOption("--nm <n:m>", "the pattern, 2:4 for example", pattern)
    .option(
      "--exclude <layer>",
      "a layer that need not hold it (repeatable)",
      (value, list: readonly string[]) => [...list, value],
      [],
    );
  addFailOn(command, "pattern")
    .addOption(new Option("--format <format>", "what to print").choices(["table", "json", "sarif"]).default("table"))
    .option("-o, --output <file>", "write there instead of printing")
    .action(async (args: readonly string[], options: Options) => {
      const { nm, exclude, format } = options;
      const asked = failsOn(options, "pattern", null);
      const models = await modelsOf(args);
      const output = new Output(options.output);
      const width = process.stdout.columns || 120;
      const outcomes = await eachModel(engine, models, async (path): Promise<Checked> => {
        const model = { uri: path, path };
        const report = await engine.run("check", { ...model, pattern: nm, exclude });
        const held = asked.has("high") ? await engine.run("held", model) : null;
        if (format === "table") {
          const table = checkTable(report, shown(path), width);
          await output.write(models.several ? `${table}\n` : table);
        }
        const words = [
          ...(asked.has("pattern") && !report.holds ? [checkHeadline(report).replace(/\.$/, "")] : []),
          ...emptyWords(report, asked.has("collapse") || held !== null),
          ...(held === null ? [] : deadWords(held)),
        ];
        return { report, unmet: words.length === 0 ? null : words.join("; ") };
      });
      if (format === "table") {
        if (models.several) await output.write(summaryTable(outcomes.map(rowOf), width, shown));
      } else await output.write(format === "json" ? json(nm, outcomes) : sarif(outcomes));
      await output.end();
      conclude(
        outcomes.map((outcome) => ({
          path: shown(outcome.path),
          words: "error" in outcome ? describeError(outcome.error) : outcome.result.unmet,
        })),
      );
    });
}

/** Layers that are all zeros: collapsed before anything is pruned. */
function emptyWords({ layers }: CheckReport, asked: boolean): string[] {
  const empty = layers.filter(({ sparsity }) => sparsity === 1);
  return asked && empty.length > 0 ? [`${layersNamed(empty)} without a weight that is not 0`] : [];
}

/** Layers of which so many outputs are empty that an analysis would call it a high risk. */
function deadWords({ layers }: HeldReport): string[] {
  const high = layers.filter(
    ({ sparsity, emptyOutputs }) =>
      sparsity < 1 && emptyOutputs !== null && emptyOutputs.count > deadOutputLimits.high * emptyOutputs.of,
  );
  return high.length > 0 ? [`${layersNamed(high)} at high risk: too many outputs are empty`] : [];
}

function rowOf(outcome: Outcome<Checked>): SummaryRow {
  if ("error" in outcome) return failedRow(outcome.path, describeError(outcome.error));
  const { report, unmet } = outcome.result;
  const sizes = report.layers.map(({ shape }) => shape.reduce((product, length) => product * length, 1));
  const zeros = report.layers.reduce((sum, { sparsity }, l) => sum + sparsity * sizes[l]!, 0);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return {
    path: outcome.path,
    layers: report.layers.length,
    sparsity: all === 0 ? null : zeros / all,
    criticalSparsity: null,
    collapsed: report.layers.filter(({ sparsity }) => sparsity === 1).length,
    pattern: report.pattern,
    outcome: unmet ?? (report.holds ? "holds" : "does not hold"),
    good: unmet === null,
  };
}

function json(pattern: NofM, outcomes: readonly Outcome<Checked>[]): string {
  const checked: CheckedModels = {
    schema: checkSchema,
    pattern,
    holds: outcomes.every((outcome) => "result" in outcome && outcome.result.report.holds),
    models: outcomes.map((outcome) => {
      const model = { path: outcome.path };
      return "error" in outcome ? { model, error: outcome.error } : { model, ...outcome.result.report };
    }),
  };
  return `${JSON.stringify(checked, null, 2)}\n`;
}

function sarif(outcomes: readonly Outcome<Checked>[]): string {
  const findings = outcomes.flatMap((one) => ("result" in one ? checkFindings(one.result.report, one.path) : []));
  return sarifText(
    findings,
    outcomes.flatMap((one) => ("error" in one ? [one] : [])),
    process.cwd(),
  );
}
