/** The jobs that an engine runs, one file each; the table is what the engine serves. */
import type { JobName, Jobs, Progress, ServerSettings } from "../../protocol/requests.js";
import { analyze } from "./analyze.js";
import { check } from "./check.js";
import { collapse } from "./collapse.js";
import { compare } from "./compare.js";
import { compress } from "./compress.js";
import { exportScores } from "./export.js";
import { held } from "./held.js";
import { measure } from "./measure.js";
import { open } from "./open.js";
import { parity } from "./parity.js";
import { remedies } from "./remedies.js";
import { save } from "./save.js";
import { shapes } from "./shapes.js";
import { survival } from "./survival.js";
import { theory } from "./theory.js";
import { verify } from "./verify.js";

/** What a job may use of the process that runs it. */
export interface JobContext {
  progress(progress: Progress): void;
  /** Lets messages in; throws PruneScopeError `cancelled` when the work is no longer wanted. */
  checkpoint(): Promise<void>;
  /** Folder for cached results; null = nothing is cached. */
  readonly storage: string | null;
  readonly settings: ServerSettings;
  /** Path of the script that runs TensorFlow.js, `dist/tfjs.js`. */
  readonly tfjs: string;
}

/** A context that does some of it in another way; the rest goes to the one that it is made of. */
export const contextWith = (
  context: JobContext,
  change: Partial<Pick<JobContext, "checkpoint" | "progress">>,
): JobContext => ({
  storage: context.storage,
  settings: context.settings,
  tfjs: context.tfjs,
  // They are methods: taken off their object they would not work.
  progress: (progress) => {
    context.progress(progress);
  },
  checkpoint: () => context.checkpoint(),
  ...change,
});

export const jobs: {
  readonly [J in JobName]: (params: Jobs[J]["params"], context: JobContext) => Promise<Jobs[J]["result"]>;
} = Object.freeze({
  analyze,
  check,
  collapse,
  compare,
  compress,
  export: exportScores,
  held,
  measure,
  open,
  parity,
  remedies,
  save,
  shapes,
  survival,
  theory,
  verify,
});
