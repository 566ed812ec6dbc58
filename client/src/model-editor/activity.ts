/**
 * What is being done for one model: works that start and end, at most one of them *main* (reading and analysing, of
 * which only the newest counts), and the failure that the last main work ended with. The view is told of each change.
 */
import type { ErrorData } from "../../../server/protocol/errors.js";
import type { JobName, Progress } from "../../../server/protocol/requests.js";
import type { Activity } from "../../../server/protocol/view.js";

/** One piece of work. */
export interface Work {
  label: string;
  /** The job that runs now, by which the server's progress is told apart. */
  job: JobName;
  progress: Progress | null;
  readonly controller: AbortController;
}

/** Least milliseconds between two reports of progress. */
const progressInterval = 100;

export class Activities {
  readonly #works: Work[] = [];
  #failure: { readonly error: ErrorData; readonly retry: boolean } | null = null;
  #told = 0;

  constructor(private readonly changed: (activity: Activity) => void) {}

  get current(): Activity {
    const work = this.#works.at(-1);
    if (work !== undefined) return { kind: "working", label: work.label, progress: work.progress };
    return this.#failure === null ? { kind: "idle" } : { kind: "failed", ...this.#failure };
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  begin(label: string, job: JobName): Work {
    const work = { label, job, progress: null, controller: new AbortController() };
    this.#works.push(work);
    this.#tell();
    return work;
  }

  /** The work goes on with another job. */
  next(work: Work, label: string, job: JobName): void {
    Object.assign(work, { label, job, progress: null });
    this.#tell();
  }

  end(work: Work): void {
    const index = this.#works.indexOf(work);
    if (index >= 0) this.#works.splice(index, 1);
    this.#tell();
  }

  /** Remembers a failure, to be shown when no work is left; null when there is none any more. */
  fail(failure: { readonly error: ErrorData; readonly retry: boolean } | null): void {
    this.#failure = failure;
  }

  /** The server reports progress of a job. */
  progress(job: JobName, progress: Progress): void {
    const work = this.#works.filter((each) => each.job === job).at(-1);
    if (work === undefined) return;
    const first = work.progress === null || work.progress.stage !== progress.stage;
    work.progress = { stage: progress.stage, done: progress.done, total: progress.total };
    if (first || Date.now() - this.#told >= progressInterval) this.#tell();
  }

  cancelAll(): void {
    for (const work of this.#works) work.controller.abort();
  }

  #tell(): void {
    this.#told = Date.now();
    this.changed(this.current);
  }
}
