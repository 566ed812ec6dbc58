/** A context for running jobs inside the test's own process. */
import { join } from "node:path";
import type { JobContext } from "../../server/src/analysis/jobs.js";

/** No progress, no cache unless a folder is given, one thread. */
export function quietContext(storage: string | null = null): JobContext {
  return {
    progress: () => undefined,
    checkpoint: () => Promise.resolve(),
    storage,
    settings: { threads: 1, memoryLimit: 0, cacheMaxSize: 100 },
    tfjs: join(import.meta.dirname, "../../dist/tfjs.js"),
  };
}
