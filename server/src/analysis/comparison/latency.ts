/**
 * How long one run takes, measured: warm-up, then the models in turn, so that whatever slows the machine down slows
 * all of them. Median and quartiles, because times have a long tail and no mean worth the name.
 */
import type { Latency } from "../../../protocol/compare.js";
import type { Feeds } from "../../runtime/program.js";
import type { JobContext } from "../jobs.js";
import type { RunningModel } from "../run-model.js";

/** Runs whose time does not count: they fill caches and make the arena grow. */
const warmUps = 2;

/** Most rounds: more tell nothing new. */
const mostRounds = 2000;

/**
 * Runs the models in turn for about `seconds`, each at least once.
 * @returns for every model the milliseconds of its runs, as many for each.
 */
export async function timeInTurn(
  models: readonly RunningModel[],
  feeds: Feeds,
  seconds: number,
  context: JobContext,
): Promise<number[][]> {
  for (let round = 0; round < warmUps; round++) for (const model of models) await model.run(feeds);
  const times = models.map((): number[] => []);
  const began = performance.now();
  let spent = 0;
  let longest = 0;
  // Another round begins only where it can be expected to end in time.
  for (let round = 0; round === 0 || (spent + longest <= 1000 * seconds && round < mostRounds); round++) {
    for (const [m, model] of models.entries()) {
      const start = performance.now();
      await model.run(feeds);
      times[m]!.push(performance.now() - start);
    }
    const now = performance.now() - began;
    longest = Math.max(longest, now - spent);
    spent = now;
    context.progress({ stage: "Measuring latency", done: Math.min(spent, 1000 * seconds), total: 1000 * seconds });
    await context.checkpoint();
  }
  return times;
}

/** Median and quartiles of some times, interpolated between the two that are nearest. At least one is given. */
export function latencyOf(times: readonly number[]): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (share: number): number => {
    const at = share * (sorted.length - 1);
    const below = sorted[Math.floor(at)]!;
    return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
  };
  return { median: quantile(0.5), low: quantile(0.25), high: quantile(0.75), runs: sorted.length };
}
