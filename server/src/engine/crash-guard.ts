/**
 * Retries a job once after a crash of the engine, and refuses it when the ledger says that its file crashes the engine
 * again and again. Jobs that a person starts each time (save, verify, compress) are never refused: asking is the retry.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { JobName, Jobs } from "../../protocol/requests.js";
import { crashSubject, type CrashLedger } from "./crash-ledger.js";
import { EngineCrash } from "./engine-crash.js";
import type { JobRunner, RunOptions } from "./job-runner.js";

const askedFor: ReadonlySet<JobName> = new Set<JobName>(["save", "verify", "compress"]);

export class CrashGuard implements JobRunner {
  readonly #runner: JobRunner;
  readonly #ledger: CrashLedger;
  readonly #log: (line: string) => void;

  constructor(runner: JobRunner, ledger: CrashLedger, log: (line: string) => void = () => undefined) {
    this.#runner = runner;
    this.#ledger = ledger;
    this.#log = log;
  }

  async run<J extends JobName>(
    job: J,
    params: Jobs[J]["params"],
    options: RunOptions = {},
  ): Promise<Jobs[J]["result"]> {
    const subject = await crashSubject(job, params.path);
    if (askedFor.has(job) || ("retry" in params && params.retry)) this.#ledger.forget(subject);
    const refusedFor = this.#ledger.refusedFor(subject);
    if (refusedFor !== null) {
      const message =
        `This file crashed the analysis engine twice in the stage "${refusedFor}". ` +
        "It is not tried again until the file changes or you retry.";
      throw new PruneScopeError("engine-crash", message, { file: params.path });
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await this.#runner.run(job, params, options);
        this.#ledger.forget(subject);
        return result;
      } catch (error) {
        if (!(error instanceof EngineCrash)) throw error;
        this.#ledger.record(subject, error.stage);
        this.#log(`${error.message} Job ${job}, file ${params.path}, attempt ${attempt}.`);
        if (attempt === 2 || this.#ledger.refusedFor(subject) !== null) throw error;
        options.onProgress?.({ stage: "Restarting the engine", done: 0, total: 0 });
      }
    }
  }
}
