/** How a child process ended by itself, and how that is put into words. */

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The error that nothing caught, when there was one. */
  readonly fatal: string | null;
  /** The last of what it printed. */
  readonly output: string;
}

/** Whether a process ended because an allocation failed, as C++ and V8 print it. */
export function ranOutOfMemory(end: ProcessEnd): boolean {
  return /std::bad_alloc|JavaScript heap out of memory|Array buffer allocation failed/.test(
    `${end.fatal ?? ""}\n${end.output}`,
  );
}

/** What a process did, as the end of a sentence that it is the subject of. */
export function describeEnd({ code, signal, fatal }: ProcessEnd): string {
  if (signal === "SIGKILL") return "was killed (signal SIGKILL: by a person, or by the system when memory ran out)";
  if (signal !== null) return `crashed (signal ${signal})`;
  if (fatal !== null) return `failed with an error that nothing caught (${fatal})`;
  // Windows reports crashes as status codes such as 0xC0000005.
  const text = code === null ? "unknown" : code > 0xffff ? `0x${code.toString(16).toUpperCase()}` : String(code);
  return `ended unexpectedly (exit code ${text})`;
}
