/**
 * What the fake engine of these tests does for a job: the steps that the "model" file at the job's path holds as JSON.
 * To change the file is to change what the job does, as with a real model.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ErrorCode } from "../../server/protocol/errors.js";
import type { ModelRef, Progress } from "../../server/protocol/requests.js";

export type Step =
  | { readonly do: "progress"; readonly progress: Progress }
  /** Reports progress in one stage as fast as it can for `ms`. */
  | { readonly do: "chatter"; readonly stage: string; readonly ms: number }
  /** Burns the processor and the event loop, as JavaScript without a checkpoint does. */
  | { readonly do: "busy"; readonly ms: number }
  /** Blocks the event loop without burning anything, as a native run does. */
  | { readonly do: "block"; readonly ms: number }
  /** Works in slices with checkpoints between them; writes `leaves` first and removes it however it ends. */
  | { readonly do: "checkpoints"; readonly ms: number; readonly leaves?: string }
  | { readonly do: "allocate"; readonly megabytes: number }
  | { readonly do: "fail"; readonly code: ErrorCode; readonly message: string }
  | { readonly do: "print"; readonly text: string }
  | { readonly do: "abort" }
  | { readonly do: "signal"; readonly signal: NodeJS.Signals }
  | { readonly do: "exit"; readonly code: number }
  /** Throws where nothing catches it. */
  | { readonly do: "uncaught"; readonly message: string }
  /** Crashes unless the file is there, and writes it. */
  | { readonly do: "crash-once"; readonly marker: string }
  /** Appends a line to a file: a trace of what ran in which order. */
  | { readonly do: "trace"; readonly file: string; readonly line: string };

/** What every fake job answers. */
export interface FakeResult {
  readonly pid: number;
  readonly niceness: number;
  readonly execArgv: readonly string[];
  readonly nodeOptions: string | null;
  readonly threads: number;
  readonly storage: string | null;
}

/** Writes a model file that does `steps`. @returns the reference by which jobs name it. */
export function writeScript(folder: string, name: string, steps: readonly Step[]): ModelRef {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(steps));
  return { uri: pathToFileURL(path).href, path };
}
