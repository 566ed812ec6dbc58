/**
 * Which job runs when: one heavy job at a time, in order, and beside it a light lane in which exact survival counts are
 * answered while another model's heavy job runs. Only the newest of a model's waiting survival requests matters.
 */
import type { JobName, Jobs } from "../../protocol/requests.js";
import type { JobRunner, RunOptions } from "./job-runner.js";
import { Lane } from "./lane.js";

export class JobQueue implements JobRunner {
  readonly #heavy: Lane;
  readonly #light: Lane;

  /** @param heavy, light run one job at a time each. */
  constructor(heavy: JobRunner, light: JobRunner) {
    this.#heavy = new Lane(heavy);
    this.#light = new Lane(light);
  }

  run<J extends JobName>(job: J, params: Jobs[J]["params"], options?: RunOptions): Promise<Jobs[J]["result"]> {
    if (job !== "survival") return this.#heavy.run(job, params, options);
    this.#light.cancelWaiting(params.uri);
    return this.#light.run(job, params, options);
  }

  /** Cancels the waiting and the running jobs of one model, and no other's. */
  cancelModel(uri: string): void {
    this.#heavy.cancelModel(uri);
    this.#light.cancelModel(uri);
  }
}
