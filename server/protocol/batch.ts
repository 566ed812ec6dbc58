/** What `analyze` and `check` print as JSON for several models. */
import type { ErrorData } from "./errors.js";
import type { NofM } from "./recipe.js";
import type { Report } from "./report.js";
import type { CheckReport } from "./sparsity.js";

export const batchSchema = "prunescope.batch/1";
export const checkSchema = "prunescope.check/1";

/** A model that could not be worked on. */
export interface FailedEntry {
  readonly model: { readonly path: string };
  readonly error: ErrorData;
}

/** `analyze --format json` of a batch: in the order of the models, each its report or why there is none. */
export interface BatchReport {
  readonly schema: typeof batchSchema;
  readonly models: readonly (Report | FailedEntry)[];
}

/** `check --format json`, for one model and for several alike. */
export interface CheckedModels {
  readonly schema: typeof checkSchema;
  readonly pattern: NofM;
  /** Whether every model holds the pattern. */
  readonly holds: boolean;
  readonly models: readonly ((CheckReport & { readonly model: { readonly path: string } }) | FailedEntry)[];
}
