/**
 * One engine process as its parent sees it: started, given one job at a time, asked to stop, killed. Whatever way it
 * ends, the job that it was running is settled, and only after the process is gone.
 */
import type { ChildProcess } from "node:child_process";
import { fromErrorData, PruneScopeError } from "../../protocol/errors.js";
import type { JobName, Jobs } from "../../protocol/requests.js";
import { quietChild } from "../process/quiet-child.js";
import { ranOutOfMemory } from "../process/process-end.js";
import { residentMemory } from "../process/resident-memory.js";
import { EngineCrash } from "./engine-crash.js";
import { cancelled, type RunOptions } from "./job-runner.js";
import {
  formatEngineArguments,
  type EnginePriority,
  type FromEngine,
  type RunEnvironment,
  type ToEngine,
} from "./messages.js";

/** How long a job that is to stop may take to reach a checkpoint and clean up before the process is killed. */
const graceMs = 200;
const memoryIntervalMs = 1000;
const megabyte = 1e6;

interface Job {
  readonly file: string;
  /** Bytes; Infinity = no limit. */
  readonly memoryLimit: number;
  readonly onProgress: RunOptions["onProgress"];
  stage: string;
  resolve(result: Jobs[JobName]["result"]): void;
  reject(error: PruneScopeError): void;
}

export interface EngineProcessOptions {
  /** Path of the engine's script. */
  readonly entry: string;
  readonly priority: EnginePriority;
  /** Gets what the engine prints. */
  readonly onOutput: ((text: string) => void) | undefined;
}

export class EngineProcess {
  readonly #child: ChildProcess;
  #job: Job | null = null;
  #ended = false;
  /** Why we ended it, when we did. */
  #endedFor: PruneScopeError | null = null;
  #fatal: string | null = null;
  readonly #output: () => string;

  constructor({ entry, priority, onOutput }: EngineProcessOptions) {
    const { child, output } = quietChild(entry, formatEngineArguments({ parent: process.pid, priority }), { onOutput });
    this.#child = child;
    this.#output = output;
    this.#child.on("message", (message: FromEngine) => {
      this.#receive(message);
    });
    this.#child.on("exit", () => {
      this.#ended = true;
    });
    // `close` comes after `exit`, when the last messages have been read.
    this.#child.on("close", (code, signal) => {
      this.#onClose(code, signal);
    });
    this.#child.on("error", (error) => {
      this.#ended = true;
      this.#reject(new PruneScopeError("internal", `The analysis engine could not be started: ${error.message}`));
    });
  }

  /** True from the moment that it is of no more use: it ended, or is about to. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether a job runs. */
  get busy(): boolean {
    return this.#job !== null;
  }

  /** Runs a job on an engine that is not busy and has not ended. See `JobRunner.run`. */
  async run<J extends JobName>(
    job: J,
    params: Jobs[J]["params"],
    environment: RunEnvironment,
    { signal, onProgress }: RunOptions,
  ): Promise<Jobs[J]["result"]> {
    const { memoryLimit } = environment.settings;
    const settled = new Promise<Jobs[J]["result"]>((resolve, reject) => {
      this.#job = {
        file: params.path,
        memoryLimit: memoryLimit === 0 ? Infinity : memoryLimit * megabyte,
        onProgress,
        stage: job,
        resolve: resolve,
        reject,
      };
    });
    let grace: NodeJS.Timeout | undefined;
    const abort = (): void => {
      this.#send({ type: "cancel" });
      grace = setTimeout(() => {
        this.#kill(cancelled());
      }, graceMs);
    };
    const memory = setInterval(() => void this.#checkMemory(), memoryIntervalMs);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      this.#send({ type: "run", job, params, environment } as ToEngine);
      return await settled;
    } finally {
      clearInterval(memory);
      clearTimeout(grace);
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Ends the process: at once when it is idle, else when its job has reached a checkpoint and cleaned up, or soon by
   * force. The job is rejected with `cancelled`.
   */
  end(): void {
    this.#ended = true;
    this.#endedFor ??= cancelled();
    this.#send({ type: "end" });
    const force = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    this.#child.once("exit", () => {
      clearTimeout(force);
    });
  }

  /** Kills the process; its job is rejected with `reason` when it is gone. */
  #kill(reason: PruneScopeError): void {
    this.#ended = true;
    this.#endedFor ??= reason;
    this.#child.kill("SIGKILL");
  }

  #send(message: ToEngine): void {
    // A channel that is closed means a process that ended: `close` tells the rest.
    this.#child.send(message, () => undefined);
  }

  #receive(message: FromEngine): void {
    switch (message.type) {
      case "progress":
        if (this.#job === null) return;
        this.#job.stage = message.progress.stage;
        this.#job.onProgress?.(message.progress);
        return;
      case "memory":
        this.#limitMemory(message.resident);
        return;
      case "fatal":
        this.#fatal = message.message;
        return;
      case "result":
        this.#job?.resolve(message.result);
        this.#job = null;
        return;
      case "error":
        this.#reject(fromErrorData(message.error));
    }
  }

  #onClose(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#job === null) return;
    const { file, stage } = this.#job;
    const end = { code, signal, fatal: this.#fatal, output: this.#output() };
    if (this.#endedFor !== null) this.#reject(this.#endedFor);
    else if (ranOutOfMemory(end)) {
      const message = `There was not enough memory for the stage "${stage}", and the analysis engine ended.`;
      this.#reject(new PruneScopeError("out-of-memory", message, { file }));
    } else this.#reject(new EngineCrash(stage, end, { file }));
  }

  #reject(error: PruneScopeError): void {
    this.#job?.reject(error);
    this.#job = null;
  }

  async #checkMemory(): Promise<void> {
    const resident = this.#child.pid === undefined ? null : await residentMemory(this.#child.pid);
    if (resident !== null) this.#limitMemory(resident);
  }

  #limitMemory(resident: number): void {
    if (this.#job === null || resident <= this.#job.memoryLimit) return;
    const { file, stage, memoryLimit } = this.#job;
    const message =
      `The stage "${stage}" needed more than the ${memoryLimit / megabyte} MB of memory that the setting ` +
      "prunescope.engine.memoryLimit allows. Raise it, or set it to 0 for no limit.";
    this.#kill(new PruneScopeError("out-of-memory", message, { file }));
  }
}
