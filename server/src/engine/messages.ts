/**
 * Messages between a process that wants work done and the engine, its child. One job runs at a time, and the next is
 * sent only after the last one was answered, so no message carries an id. Every job is answered: with a result or an
 * error.
 */
import type { ErrorData } from "../../protocol/errors.js";
import type { JobName, Jobs, Progress, ServerSettings } from "../../protocol/requests.js";

/** What a job gets besides its parameters. Settings travel with each job, so a change takes effect at the next one. */
export interface RunEnvironment {
  /** Folder for cached results; null = nothing is cached. */
  readonly storage: string | null;
  readonly settings: ServerSettings;
}

/** Parent to engine. `cancel` asks the running job to stop at its next checkpoint; `end` does, and ends the engine. */
export type ToEngine =
  | {
      readonly [J in JobName]: {
        readonly type: "run";
        readonly job: J;
        readonly params: Jobs[J]["params"];
        readonly environment: RunEnvironment;
      };
    }[JobName]
  | { readonly type: "cancel" | "end" };

/** Engine to parent. */
export type FromEngine =
  | { readonly type: "progress"; readonly progress: Progress }
  /** Resident memory in bytes, reported at checkpoints for platforms where the parent cannot read it. */
  | { readonly type: "memory"; readonly resident: number }
  | { readonly type: "result"; readonly result: Jobs[JobName]["result"] }
  | { readonly type: "error"; readonly error: ErrorData }
  /** An error that nothing caught; the engine ends with a code other than 0 right after. */
  | { readonly type: "fatal"; readonly message: string };

/** `low` leaves the processor to the editor; `normal` is for short jobs that somebody waits for. */
export type EnginePriority = "low" | "normal";

/** Command-line arguments of an engine process. */
export interface EngineArguments {
  /** Process id of the parent, which the engine must not outlive. */
  readonly parent: number;
  readonly priority: EnginePriority;
}

export function formatEngineArguments({ parent, priority }: EngineArguments): string[] {
  return [String(parent), priority];
}

/** The inverse of {@link formatEngineArguments}, for the arguments after the script's name. */
export function parseEngineArguments(args: readonly string[]): EngineArguments {
  return { parent: Number(args[0]), priority: args[1] === "normal" ? "normal" : "low" };
}
