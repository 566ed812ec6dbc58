/**
 * All of the server's work: two engine hosts behind guards and a queue. This is the port that the language server is
 * given.
 */
import type { JobName, Jobs, ServerSettings } from "../../protocol/requests.js";
import { CrashGuard } from "./crash-guard.js";
import { CrashLedger } from "./crash-ledger.js";
import { EngineHost, type EngineHostOptions } from "./host.js";
import type { JobRunner, RunOptions } from "./job-runner.js";
import { JobQueue } from "./queue.js";

export interface EnginesOptions extends Omit<EngineHostOptions, "priority" | "onOutput"> {
  /** Gets what the engines print, and a line for each crash. */
  readonly log?: (text: string) => void;
}

export class Engines implements JobRunner {
  readonly #hosts: readonly EngineHost[];
  readonly #queue: JobQueue;

  constructor({ log = () => undefined, ...options }: EnginesOptions) {
    const ledger = new CrashLedger();
    const heavy = new EngineHost({ ...options, priority: "low", onOutput: log });
    const light = new EngineHost({ ...options, priority: "normal", onOutput: log });
    this.#hosts = [heavy, light];
    this.#queue = new JobQueue(new CrashGuard(heavy, ledger, log), new CrashGuard(light, ledger, log));
  }

  run<J extends JobName>(job: J, params: Jobs[J]["params"], options?: RunOptions): Promise<Jobs[J]["result"]> {
    return this.#queue.run(job, params, options);
  }

  /** Stops the work of one model: its last view is gone. */
  closeModel(uri: string): void {
    this.#queue.cancelModel(uri);
  }

  /** Changes the settings of the jobs that start from now on. */
  configure(settings: ServerSettings): void {
    for (const host of this.#hosts) host.configure(settings);
  }

  /** Ends the engines; all work, running and waiting, is rejected with `cancelled`. */
  dispose(): void {
    for (const host of this.#hosts) host.dispose();
  }
}
