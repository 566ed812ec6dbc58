/**
 * One process that runs TensorFlow.js, as its parent sees it: started with a backend, asked for runs, killed. It answers
 * each time, or its end is told. What it prints is kept for the case that it dies, and shown to nobody.
 */
import type { ChildProcess } from "node:child_process";
import { dirname } from "node:path";
import { quietChild } from "../process/quiet-child.js";
import type { ProcessEnd } from "../process/process-end.js";
import { residentMemory } from "../process/resident-memory.js";
import { type Backend, formatTfjsArguments, type FromTfjs, type RunRequest, type ToTfjs } from "./messages.js";

/** The process ended before it answered. */
export class TfjsProcessEnded extends Error {
  constructor(readonly end: ProcessEnd) {
    super("The process that runs TensorFlow.js ended.");
  }
}

interface Expectation {
  resolve(message: FromTfjs): void;
  reject(error: Error): void;
}

export class TfjsProcess {
  readonly #child: ChildProcess;
  #expectation: Expectation | null = null;
  #end: TfjsProcessEnded | null = null;

  /** @param script path of `dist/tfjs.js`. Call {@link ready} at once. */
  constructor(
    script: string,
    readonly backend: Backend,
  ) {
    const { child, output } = quietChild(script, formatTfjsArguments({ parent: process.pid, backend }), {
      // A library is looked for in the working directory too, on Windows: it must not be that of a model.
      cwd: dirname(script),
    });
    this.#child = child;
    this.#child.on("message", (message: FromTfjs) => {
      this.#expectation?.resolve(message);
      this.#expectation = null;
    });
    // `close` comes after `exit`, when the last messages have been read.
    this.#child.on("close", (code, signal) => {
      this.#ended({ code, signal, fatal: null, output: output() });
    });
    this.#child.on("error", (error) => {
      this.#ended({ code: null, signal: null, fatal: error.message, output: output() });
    });
  }

  /** Whether the backend works, and which version it is. @throws TfjsProcessEnded */
  ready(): Promise<FromTfjs> {
    return this.#next();
  }

  /** Runs a model; the last answer must have come. @throws TfjsProcessEnded */
  run(request: RunRequest): Promise<FromTfjs> {
    const answer = this.#next();
    const message: ToTfjs = { type: "run", ...request };
    // A channel that is closed means a process that ended: `close` tells the rest.
    this.#child.send(message, () => undefined);
    return answer;
  }

  /** Bytes that the process holds; null where the platform does not say. */
  memory(): Promise<number | null> {
    return this.#child.pid === undefined ? Promise.resolve(null) : residentMemory(this.#child.pid);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #next(): Promise<FromTfjs> {
    if (this.#end !== null) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#expectation = { resolve, reject };
    });
  }

  #ended(end: ProcessEnd): void {
    this.#end ??= new TfjsProcessEnded(end);
    this.#expectation?.reject(this.#end);
    this.#expectation = null;
  }
}
