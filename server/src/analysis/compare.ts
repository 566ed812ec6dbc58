/**
 * Job `compare`: two models side by side: their layers, their sizes, what comes out of them on the same input, how often
 * they name the right class, and how long a run takes. What cannot be run is still compared by its layers and sizes.
 */
import type { CompareReport } from "../../protocol/compare.js";
import { describeError, type ErrorData, PruneScopeError, toErrorData } from "../../protocol/errors.js";
import type { CompareParams } from "../../protocol/requests.js";
import { openDataset } from "../data/open.js";
import type { Graph } from "../graph/graph.js";
import { compareLayers } from "./comparison/layers.js";
import { compareRuns, type RunsReport } from "./comparison/runs.js";
import { compress } from "./compress.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";
import { bytesToRun } from "./run-memory.js";

/** @throws PruneScopeError `shape-mismatch` where the models take different inputs, and what is wrong with a file or the data. */
export async function compare(params: CompareParams, context: JobContext): Promise<CompareReport> {
  const { path, pruned, recipe, latencySeconds } = params;
  const began = performance.now();
  const notes: string[] = [];
  const { layers, original, other, loaded, model, outputs } = await withModel(path, (first) =>
    withModel(pruned, async (second) => {
      requireSameInputs(first.model.graph, second.model.graph);
      const shared = sharedOutputs(first.model.graph, second.model.graph, notes);
      return {
        layers: await compareLayers(first, second, context),
        original: { path, bytes: first.source.size() },
        other: { path: pruned, bytes: second.source.size() },
        loaded: [bytesToRun(first), bytesToRun(second)] as const,
        model: first.model,
        outputs: shared,
      };
    }),
  );
  const onlyOriginal = layers.filter(({ zeros }) => zeros.pruned === null).length;
  const onlyPruned = layers.filter(({ zeros }) => zeros.original === null).length;
  if (onlyOriginal > 0)
    notes.push(`${onlyOriginal} of the original's layers are not in the pruned model, by their ids.`);
  if (onlyPruned > 0) notes.push(`${onlyPruned} of the pruned model's layers are not in the original, by their ids.`);

  const dataset = await openDataset(recipe.data ?? null, model.graph, {
    seed: recipe.seed,
    dynamicAxes: recipe.axes,
    batch: recipe.batch,
    ...(recipe.mean === undefined ? {} : { mean: recipe.mean }),
    ...(recipe.std === undefined ? {} : { std: recipe.std }),
  });
  notes.push(
    ...(dataset.kind === "synthetic"
      ? ["The inputs are made up: how far outputs differ on your data is another question."]
      : dataset.notes),
  );
  const run = await compareRuns(
    {
      original: { path, bytes: loaded[0] },
      pruned: { path: pruned, bytes: loaded[1] },
      model,
      outputs,
      dataset,
      loss: recipe.loss,
      latencySeconds,
    },
    context,
  ).catch((error: unknown) => notRun(error, notes));
  const compressed = await compress({ uri: params.uri, path, pruned }, context).catch(dataOf);
  return {
    original,
    pruned: other,
    layers,
    input: dataset.words,
    samples: run.samples,
    outputs: run.outputs,
    accuracy: run.accuracy,
    latency: run.latency,
    compressed,
    notes: [...notes, ...run.notes],
    seconds: (performance.now() - began) / 1000,
  };
}

/** @throws PruneScopeError `shape-mismatch` */
function requireSameInputs(original: Graph, pruned: Graph): void {
  const words = ({ inputs }: Graph): string[] => inputs.map(({ name, dtype }) => `"${name}" (${dtype})`).sort();
  const first = words(original);
  const second = words(pruned);
  if (first.join() === second.join()) return;
  throw new PruneScopeError(
    "shape-mismatch",
    `The models take different inputs, so that nothing can be run on both: ${first.join(", ") || "none"} and ${second.join(", ") || "none"}.`,
  );
}

/** Names of the outputs that both have; the others are noted. */
function sharedOutputs(original: Graph, pruned: Graph, notes: string[]): ReadonlySet<string> {
  const names = ({ outputs }: Graph): string[] => outputs.map(({ name }) => name);
  const other = new Set(names(pruned));
  const shared = new Set(names(original).filter((name) => other.has(name)));
  const alone = [...names(original), ...other].filter((name) => !shared.has(name));
  if (alone.length > 0)
    notes.push(`Only one of the models has the ${alone.length === 1 ? "output" : "outputs"} ${alone.join(", ")}.`);
  return shared;
}

/** What the runtime does not take is no reason to keep the rest back; what is wrong with the data is. */
function notRun(error: unknown, notes: string[]): RunsReport {
  const known = dataOf(error);
  if (!["unsupported-op", "unsupported-format", "out-of-memory"].includes(known.code)) throw error;
  notes.push(`The models were not run: ${describeError(known)}`);
  return { samples: 0, outputs: [], accuracy: null, latency: null, notes: [] };
}

/** An error that is told in the report. @throws what is a cancellation. */
function dataOf(error: unknown): ErrorData {
  const data = toErrorData(error);
  if (data.code === "cancelled") throw error;
  return data;
}
