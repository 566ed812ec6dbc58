/** What is thrown when an engine process ends by itself during a job, and how its end is put into words. */
import { PruneScopeError, type ErrorSubject } from "../../protocol/errors.js";

/** How an engine process ended. */
export interface EngineEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The error that nothing caught, when there was one. */
  readonly fatal: string | null;
  /** The last of what it printed. */
  readonly output: string;
}

/** The engine died in the middle of a job: by a signal (a crash in native code, or a kill), or with an exit code. */
export class EngineCrash extends PruneScopeError {
  constructor(
    /** The last stage of the job that was reported, or the job's name. */
    readonly stage: string,
    readonly end: EngineEnd,
    about: ErrorSubject,
  ) {
    super("engine-crash", `The analysis engine ${describeEnd(end)} in the stage "${stage}".`, about);
  }
}

/** Whether the engine ended because an allocation failed, as C++ and V8 print it. */
export function ranOutOfMemory(end: EngineEnd): boolean {
  return /std::bad_alloc|JavaScript heap out of memory|Array buffer allocation failed/.test(
    `${end.fatal ?? ""}\n${end.output}`,
  );
}

function describeEnd({ code, signal, fatal }: EngineEnd): string {
  if (signal === "SIGKILL") return "was killed (signal SIGKILL: by a person, or by the system when memory ran out)";
  if (signal !== null) return `crashed (signal ${signal})`;
  if (fatal !== null) return `failed with an error that nothing caught (${fatal})`;
  // Windows reports crashes as status codes such as 0xC0000005.
  const text = code === null ? "unknown" : code > 0xffff ? `0x${code.toString(16).toUpperCase()}` : String(code);
  return `ended unexpectedly (exit code ${text})`;
}
