/**
 * The one shape in which work is asked for on the parent's side. The host, the guard against crashes, the queue and the
 * server's port all have it, so that they can be put around each other and replaced in tests.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { JobName, Jobs, Progress } from "../../protocol/requests.js";

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface JobRunner {
  /** Runs a job. @throws PruneScopeError: the job's own error, or `cancelled`, `engine-crash`, `out-of-memory`. */
  run<J extends JobName>(job: J, params: Jobs[J]["params"], options?: RunOptions): Promise<Jobs[J]["result"]>;
}

/** What a job is rejected with that nobody wants any more. */
export function cancelled(): PruneScopeError {
  return new PruneScopeError("cancelled", "Cancelled.");
}
