/**
 * What `analyze` and `start` find out beside scores and mask: theory and collapse always (and parity
 * with the original where the model was lowered), the rest where it is asked for.
 */
import type { Command } from "commander";
import { type ErrorData, fromErrorData, toErrorData } from "../../protocol/errors.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { Report } from "../../protocol/report.js";
import type { Insights } from "../../protocol/view.js";
import type { CommandEngine } from "./command-engine.js";
import { numberIn, whole } from "./option-values.js";
import { defaultSigmaB } from "./recipe-options.js";

/** Seconds that remedies may take where none are named. */
const defaultBudget = 60;

interface Given {
  readonly quick?: true;
  readonly measure?: true;
  readonly stability?: number;
  readonly remedies?: number | true;
  readonly sigmaB: number;
}

export function addInsightOptions(command: Command): Command {
  return command
    .option("--measure", "measure conditioning and propagation on the data, the theory's prediction beside them")
    .option("--stability <runs>", "compare the masks of so many seeds or batches; measures as well", whole(2, 100))
    .option(
      "--remedies [seconds]",
      `compute what would keep layers alive, within so many seconds (${defaultBudget} when absent)`,
      numberIn(0, 86400, true),
    )
    .option("--sigma-b <number>", "σ_b of the suggested initialisations", numberIn(0, 100, true), defaultSigmaB)
    .option("--quick", "scores and mask only: no theory, no paths through the network");
}

/**
 * Runs the jobs that `options` ask for on the model of `report`. What fails is an error in its place; a cancellation ends
 * the command, and so does a lowered graph that computes something else than the original: everything is about it.
 */
export async function insightsOf(
  engine: CommandEngine,
  { model: { path, format } }: Report,
  recipe: Recipe,
  options: unknown,
): Promise<Insights> {
  const { quick = false, measure = false, stability = 0, remedies, sigmaB } = options as Given;
  const model = { uri: path, path };
  const wanted = async <T>(run: boolean, job: () => Promise<T>): Promise<T | ErrorData | null> => {
    if (!run) return null;
    try {
      return await job();
    } catch (error) {
      const data = toErrorData(error);
      if (data.code === "cancelled" || data.code === "parity") throw fromErrorData(data);
      return data;
    }
  };
  const parity = await wanted(!quick && format !== "onnx", () =>
    engine.run("parity", { ...model, seed: recipe.seed, dynamicAxes: recipe.axes }),
  );
  return {
    parity,
    theory: await wanted(!quick, () => engine.run("theory", { ...model, sigmaB, dynamicAxes: recipe.axes })),
    collapse: await wanted(!quick, () => engine.run("collapse", { ...model, recipe })),
    measured: await wanted(measure || stability > 0, () =>
      engine.run("measure", { ...model, recipe, stabilityRuns: stability }),
    ),
    remedies: await wanted(remedies !== undefined, () =>
      engine.run("remedies", { ...model, recipe, budget: typeof remedies === "number" ? remedies : defaultBudget }),
    ),
  };
}

/** The report with the risk of layers whose kept weights lie on no path from input to output. */
export function judged(report: Report, { collapse }: Insights): Report {
  if (collapse === null || "code" in collapse) return report;
  const { risks } = collapse;
  return { ...report, layers: report.layers.map((layer, l) => ({ ...layer, risk: risks[l] ?? layer.risk })) };
}

/** The judged report with everything that was found out beside it. */
export function withInsights(report: Report, insights: Insights): Report {
  const { theory, collapse, measured, remedies, parity } = insights;
  return {
    ...judged(report, insights),
    ...(parity === null ? {} : { parity }),
    ...(theory === null ? {} : { theory }),
    ...(collapse === null ? {} : { collapse }),
    ...(measured === null ? {} : { measured }),
    ...(remedies === null ? {} : { remedies }),
  };
}
