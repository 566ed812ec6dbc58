/**
 * Two models run on the same samples, a few at a time. Both are loaded at once where that fits into memory; else one
 * after the other, and the first one's outputs wait for the second's.
 */
import { totalmem } from "node:os";
import type { CompareReport } from "../../../protocol/compare.js";
import type { Batch, Dataset } from "../../data/dataset.js";
import type { Model } from "../../graph/graph.js";
import { OutputComparison, type Outputs } from "../../runtime/compare.js";
import { threadCount } from "../../runtime/session.js";
import type { JobContext } from "../jobs.js";
import { megabytesToRun, requireRunMemory } from "../run-memory.js";
import { type RunningModel, withRunning } from "../run-model.js";
import { AccuracyCount, classOutput } from "./accuracy.js";
import { latencyOf, timeInTurn } from "./latency.js";

/** Samples in one run where the model takes any number: few, so that activations stay small. */
const samplesInRun = 4;

/** Most bytes of outputs that wait where models are run one after the other. */
const waitingBytes = 256e6;

/** Share of the machine's memory that two models may take together. */
const memoryShare = 0.7;

export interface ModelFile {
  readonly path: string;
  /** What is loaded to run it. */
  readonly bytes: number;
}

export interface ComparedRuns {
  /** Names of outputs that both models have. */
  readonly outputs: ReadonlySet<string>;
  readonly original: ModelFile;
  readonly pruned: ModelFile;
  /** Structure of the original. */
  readonly model: Model;
  readonly dataset: Dataset;
  /** As in a recipe. */
  readonly loss: string | undefined;
  readonly latencySeconds: number;
}

export type RunsReport = Pick<CompareReport, "accuracy" | "latency" | "outputs" | "samples"> & {
  readonly notes: readonly string[];
};

/** @throws PruneScopeError `out-of-memory` when one model alone is too large, and whatever running them throws. */
export async function compareRuns(runs: ComparedRuns, context: JobContext): Promise<RunsReport> {
  const { original, pruned } = runs;
  const { memoryLimit } = context.settings;
  for (const { path, bytes } of [original, pruned]) requireRunMemory(path, bytes, memoryLimit);
  const needed = megabytesToRun(original.bytes + pruned.bytes);
  const room = memoryLimit > 0 ? memoryLimit : (memoryShare * totalmem()) / 1e6;
  return needed <= room ? together(runs, context) : oneByOne(runs, needed, context);
}

async function together(runs: ComparedRuns, context: JobContext): Promise<RunsReport> {
  const { original, pruned, dataset, latencySeconds } = runs;
  const { threads } = context.settings;
  return withRunning(original.path, threads, (a) =>
    withRunning(pruned.path, threads, async (b) => {
      const tally = await Tally.of(runs, a, context);
      for await (const batch of tally.batches("Running both models", context)) {
        const { feeds } = batch;
        tally.add(await a.run(feeds), await b.run(feeds), batch);
      }
      if (latencySeconds === 0) return tally.report(null);
      const times = await timeInTurn([a, b], await oneRun(dataset), latencySeconds, context);
      return tally.report(times);
    }),
  );
}

async function oneByOne(runs: ComparedRuns, needed: number, context: JobContext): Promise<RunsReport> {
  const { original, pruned, dataset, latencySeconds } = runs;
  const waiting: Outputs[] = [];
  const { threads } = context.settings;
  const latency = async (model: RunningModel): Promise<number[][]> =>
    latencySeconds === 0 ? [] : timeInTurn([model], await oneRun(dataset), latencySeconds / 2, context);
  const first = await withRunning(original.path, threads, async (model) => {
    const tally = await Tally.of(runs, model, context);
    let bytes = 0;
    for await (const { feeds } of tally.batches("Running the original", context)) {
      const outputs = await model.run(feeds);
      for (const { size, type } of outputs.values()) bytes += size * (type.endsWith("64") ? 8 : 4);
      if (waiting.length > 0 && bytes > waitingBytes) break;
      waiting.push(outputs);
    }
    return { tally, times: await latency(model) };
  });
  const { tally } = first;
  const times = await withRunning(pruned.path, threads, async (model) => {
    let done = 0;
    for await (const batch of tally.batches("Running the pruned model", context)) {
      const outputs = waiting[done++];
      if (outputs === undefined) break;
      tally.add(outputs, await model.run(batch.feeds), batch);
    }
    return [...first.times, ...(await latency(model))];
  });
  tally.notes.push(
    `Both models together would take about ${Math.ceil(needed)} MB, which does not fit: they were run one after the other, and so were the runs that were timed.`,
  );
  if (tally.samples < dataset.samples)
    tally.notes.push(`Outputs were compared on ${tally.samples} of ${dataset.samples} samples: more would not fit.`);
  return tally.report(times.length === 0 ? null : times);
}

/** Feeds of the smallest run that the model takes. */
const oneRun = async (dataset: Dataset): Promise<Batch["feeds"]> =>
  (await dataset.batch(0, dataset.samplesPerRun ?? 1)).feeds;

/** What is counted over the runs. */
class Tally {
  readonly notes: string[] = [];
  samples = 0;
  readonly #comparison = new OutputComparison();

  private constructor(
    private readonly runs: ComparedRuns,
    private readonly perRun: number,
    private readonly accuracy: AccuracyCount | null,
    private readonly threads: number,
  ) {}

  static async of(runs: ComparedRuns, running: RunningModel, { settings }: JobContext): Promise<Tally> {
    const { dataset, model, loss } = runs;
    const perRun = await samplesPerRun(runs, running);
    const found = dataset.labels === null ? null : await classOutput(model, dataset, perRun, loss, settings.threads);
    const counted = found !== null && typeof found !== "string" && runs.outputs.has(found.name);
    const tally = new Tally(runs, perRun, counted ? new AccuracyCount(found) : null, threadCount(settings.threads));
    if (typeof found === "string") tally.notes.push(found);
    return tally;
  }

  /** The samples, as many at a time as fit into one run. */
  async *batches(stage: string, context: JobContext): AsyncGenerator<Batch> {
    const { dataset } = this.runs;
    for (let start = 0; start < dataset.samples; start += this.perRun) {
      context.progress({ stage, done: start, total: dataset.samples });
      await context.checkpoint();
      yield dataset.batch(start, Math.min(this.perRun, dataset.samples - start));
    }
  }

  add(original: Outputs, pruned: Outputs, { labels }: Batch): void {
    const { outputs, dataset } = this.runs;
    this.#comparison.add(new Map([...original].filter(([name]) => outputs.has(name))), pruned);
    if (labels !== null) this.accuracy?.add(original, pruned, labels);
    this.samples = Math.min(dataset.samples, this.samples + this.perRun);
  }

  /** @param times milliseconds of the original's runs and of the pruned model's; null where none were timed. */
  report(times: readonly (readonly number[])[] | null): RunsReport {
    const { dataset } = this.runs;
    return {
      samples: this.samples,
      outputs: this.#comparison.result(),
      accuracy: this.accuracy?.result() ?? null,
      latency:
        times === null
          ? null
          : {
              original: latencyOf(times[0]!),
              pruned: latencyOf(times[1]!),
              threads: this.threads,
              samples: dataset.samplesPerRun ?? 1,
            },
      notes: this.notes,
    };
  }
}

/** Samples in one run: as many as the model wants, or some; one where it cannot take several although its axis is free. */
async function samplesPerRun({ dataset }: ComparedRuns, running: RunningModel): Promise<number> {
  if (dataset.samplesPerRun !== null) return dataset.samplesPerRun;
  const some = Math.min(samplesInRun, dataset.samples);
  if (some === 1) return 1;
  const { feeds } = await dataset.batch(0, some);
  return running.run(feeds).then(
    () => some,
    () => 1,
  );
}
