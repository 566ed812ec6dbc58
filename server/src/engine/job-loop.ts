/**
 * The engine's side of the messages: receives one job at a time, runs it and answers. It ends when its parent does: at
 * once when idle, else at the job's next checkpoint, and at the latest by the watching thread.
 */
import { join } from "node:path";
import { PruneScopeError, toErrorData } from "../../protocol/errors.js";
import type { JobName, Jobs, Progress } from "../../protocol/requests.js";
import type { JobContext, jobs } from "../analysis/jobs.js";
import { lowerPriority } from "../process/low-priority.js";
import { watchParent } from "../process/parent-watch.js";
import { parseEngineArguments, type FromEngine, type RunEnvironment, type ToEngine } from "./messages.js";

/** The jobs that an engine can run. */
export type JobTable = typeof jobs;

const progressIntervalMs = 50;
const memoryIntervalMs = 1000;

/** Serves the jobs of `table` to the parent over this process's IPC channel until the parent is gone. */
export function serveJobs(table: JobTable): void {
  const { parent, priority } = parseEngineArguments(process.argv.slice(2));
  if (priority === "low") lowerPriority();
  watchParent(parent);
  let running: Running | null = null;
  let ending = false;

  process.on("message", (message: ToEngine) => {
    if (message.type === "run") void run(message.job, message.params, message.environment);
    else if (message.type === "cancel") running?.cancel();
    else end();
  });
  process.on("disconnect", end);
  // Ctrl+C reaches every process of a terminal; what it means is the parent's decision.
  process.on("SIGINT", () => undefined);
  process.on("uncaughtException", (error) => {
    console.error(error);
    send({ type: "fatal", message: error.message }, () => process.exit(1));
  });

  async function run<J extends JobName>(job: J, params: Jobs[J]["params"], environment: RunEnvironment): Promise<void> {
    running = new Running(environment);
    let reply: FromEngine;
    try {
      reply = { type: "result", result: await table[job](params, running) };
    } catch (error) {
      reply = { type: "error", error: toErrorData(error) };
    }
    running = null;
    send(reply, () => {
      if (ending) process.exit();
    });
  }

  function end(): void {
    ending = true;
    if (running === null) process.exit();
    running.cancel();
  }
}

/** A job while it runs: its context, and the wish that it stop. */
class Running implements JobContext {
  readonly storage: string | null;
  readonly settings: JobContext["settings"];
  readonly tfjs = join(__dirname, "tfjs.js");
  #cancelled = false;
  #stage: string | null = null;
  #progressAt = 0;
  #memoryAt = 0;

  constructor(environment: RunEnvironment) {
    this.storage = environment.storage;
    this.settings = environment.settings;
  }

  /** Sends progress: every new stage (a crash is reported with it), and inside a stage at most 20 times a second. */
  progress(progress: Progress): void {
    const now = performance.now();
    if (progress.stage === this.#stage && now - this.#progressAt < progressIntervalMs) return;
    this.#stage = progress.stage;
    this.#progressAt = now;
    send({ type: "progress", progress });
  }

  async checkpoint(): Promise<void> {
    const now = performance.now();
    if (now - this.#memoryAt >= memoryIntervalMs) {
      this.#memoryAt = now;
      send({ type: "memory", resident: process.memoryUsage.rss() });
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#cancelled) throw new PruneScopeError("cancelled", "Cancelled.");
  }

  cancel(): void {
    this.#cancelled = true;
  }
}

/** The message is in the pipe when this returns, so it is not lost in a crash right after. */
function send(message: FromEngine, sent: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, sent);
}
