/**
 * Runs the mutation fuzz of the reader: node test/support/run-ts.mjs test/fuzz/run.ts [--model NAME] [--count N] [--seed N]
 * Mutants run in a worker with a small heap, watched from outside, so that a hang and a full memory are findings like any
 * other. Every finding prints the command that replays it; the last line is a summary as JSON. Exit code 1 on findings.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type MutatedModel, mutatedModelNames, Mutants } from "./mutants.js";
import { maxMilliseconds, outcomeOf } from "./outcome.js";

/** What the worker is asked to do. */
interface Task {
  readonly model: MutatedModel;
  readonly seed: number;
  readonly count: number;
  readonly folder: string;
  /** The seed that is being read, for the watcher; −1 before the first. */
  readonly current: SharedArrayBuffer;
}

interface Summary {
  readonly model: MutatedModel;
  readonly mutants: number;
  readonly findings: number;
  readonly results: Readonly<Record<string, number>>;
  readonly slowest: { readonly seed: number; readonly milliseconds: number };
  readonly largest: { readonly seed: number; readonly megabytes: number };
}

/** What the worker tells: a finding as it comes, and the summary at the end. */
type Message = { readonly finding: string } | { readonly summary: Summary };

/** Megabytes of heap of the worker: what it needs many times over. */
const heapMegabytes = 512;

const replay = (model: string, seed: number): string =>
  `node test/support/run-ts.mjs test/fuzz/run.ts --model ${model} --seed ${seed} --count 1`;

function work({ model, seed: first, count, folder, current }: Task): Summary {
  const mutants = new Mutants(model);
  const path = join(folder, "model.onnx");
  const results: Record<string, number> = {};
  const progress = new Int32Array(current);
  let findings = 0;
  let slowest = { seed: first, milliseconds: 0 };
  let largest = { seed: first, megabytes: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const { bytes, kinds } = mutants.make(seed);
    writeFileSync(path, bytes);
    Atomics.store(progress, 0, seed);
    const { result, complaint, milliseconds, allocated } = outcomeOf(path, bytes.length);
    results[result] = (results[result] ?? 0) + 1;
    if (milliseconds > slowest.milliseconds) slowest = { seed, milliseconds: Math.round(milliseconds) };
    if (allocated / 1e6 > largest.megabytes) largest = { seed, megabytes: Math.round(allocated / 1e6) };
    if (complaint === null) continue;
    findings++;
    tell({ finding: `${model} seed ${seed} (${kinds.join(", ")}): ${complaint}\n  replay: ${replay(model, seed)}` });
  }
  return { model, mutants: count, findings, results, slowest, largest };
}

function tell(message: Message): void {
  parentPort?.postMessage(message);
}

/** Runs one model's mutants in a worker. @returns its summary, or null when it hung or ran out of memory. */
async function watched(task: Task): Promise<Summary | null> {
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  const progress = new Int32Array(task.current);
  return new Promise((resolve) => {
    let last = -1;
    let since = performance.now();
    const fail = (what: string): void => {
      const seed = Atomics.load(progress, 0);
      console.error(`${task.model} seed ${seed}: ${what}\n  replay: ${replay(task.model, seed)}`);
      clearInterval(watch);
      void worker.terminate();
      resolve(null);
    };
    const watch = setInterval(() => {
      const seed = Atomics.load(progress, 0);
      if (seed !== last) {
        last = seed;
        since = performance.now();
      } else if (performance.now() - since > 5 * maxMilliseconds) fail("hangs");
    }, 500);
    worker.on("error", (error) => {
      fail(error.message);
    });
    worker.on("message", (message: Message) => {
      if ("finding" in message) console.error(message.finding);
      else {
        clearInterval(watch);
        resolve(message.summary);
      }
    });
  });
}

/** A folder in memory where there is one, with what external data may lead to. */
function stage(): string {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "prunescope-fuzz-"));
  writeFileSync(join(folder, "w.bin"), new Uint8Array(100_000));
  mkdirSync(join(folder, "folder"));
  symlinkSync(tmpdir(), join(folder, "out.bin"));
  if (process.platform !== "win32") execFileSync("mkfifo", [join(folder, "pipe")]);
  return folder;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      model: { type: "string" },
      count: { type: "string", default: "200" },
      seed: { type: "string", default: "1" },
    },
  });
  const models = mutatedModelNames.filter((name) => values.model === undefined || name === values.model);
  if (models.length === 0) throw new Error(`--model must be one of ${mutatedModelNames.join(", ")}`);
  const folder = stage();
  let sound = true;
  try {
    for (const model of models) {
      const current = new SharedArrayBuffer(4);
      new Int32Array(current)[0] = -1;
      const summary = await watched({ model, seed: Number(values.seed), count: Number(values.count), folder, current });
      sound &&= summary?.findings === 0;
      if (summary !== null) console.log(JSON.stringify(summary));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const peak = Math.round(process.resourceUsage().maxRSS / 1e3);
  console.log(JSON.stringify({ sound, peakMegabytes: peak }));
  if (!sound) process.exitCode = 1;
}

if (isMainThread) await main();
else tell({ summary: work(workerData as Task) });
