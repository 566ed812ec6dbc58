/**
 * What the connection needs from the rest of the server, and all that it knows of it: tests put something in memory
 * behind it.
 */
import type { ServerSettings } from "../../protocol/requests.js";
import type { JobRunner } from "../engine/job-runner.js";

export interface ServerPort extends JobRunner {
  /** The model's last view is gone: stop its work. */
  closeModel(uri: string): void;
  /** Settings for the jobs that start from now on. */
  configure(settings: ServerSettings): void;
  /** Stop everything; the server ends. */
  dispose(): void;
}
