/**
 * One job at a time, first come, first served. A job that waits can be taken out of the line without disturbing the one
 * that runs, and the one that runs can be stopped without losing those that wait.
 */
import type { JobName, Jobs } from "../../protocol/requests.js";
import { cancelled, type JobRunner, type RunOptions } from "./job-runner.js";

interface Ticket {
  readonly uri: string;
  readonly start: () => Promise<void>;
  readonly cancel: () => void;
}

export class Lane implements JobRunner {
  readonly #runner: JobRunner;
  readonly #waiting: Ticket[] = [];
  #running: Ticket | null = null;

  constructor(runner: JobRunner) {
    this.#runner = runner;
  }

  /** Runs a job when those before it are done; while it waits its stage says so. */
  run<J extends JobName>(job: J, params: Jobs[J]["params"], options: RunOptions = {}): Promise<Jobs[J]["result"]> {
    const { signal, onProgress } = options;
    return new Promise((resolve, reject) => {
      const controller = new AbortController();
      const ticket: Ticket = {
        uri: params.uri,
        start: () => this.#runner.run(job, params, { ...options, signal: controller.signal }).then(resolve, reject),
        cancel: () => {
          controller.abort();
          const place = this.#waiting.indexOf(ticket);
          if (place < 0) return;
          this.#waiting.splice(place, 1);
          reject(cancelled());
        },
      };
      this.#waiting.push(ticket);
      if (signal?.aborted === true) ticket.cancel();
      else signal?.addEventListener("abort", ticket.cancel, { once: true });
      if (this.#running !== null) onProgress?.({ stage: "Waiting for other work", done: 0, total: 0 });
      void this.#next();
    });
  }

  /** Cancels the jobs of a model that wait, and not the one that runs. */
  cancelWaiting(uri: string): void {
    for (const ticket of [...this.#waiting]) if (ticket.uri === uri) ticket.cancel();
  }

  /** Cancels all jobs of a model. */
  cancelModel(uri: string): void {
    this.cancelWaiting(uri);
    if (this.#running?.uri === uri) this.#running.cancel();
  }

  async #next(): Promise<void> {
    if (this.#running !== null) return;
    const ticket = this.#waiting.shift();
    if (ticket === undefined) return;
    this.#running = ticket;
    await ticket.start();
    this.#running = null;
    void this.#next();
  }
}
