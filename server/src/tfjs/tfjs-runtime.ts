/**
 * Runs original models in TensorFlow.js, in processes of their own: with the best backend that works, and with the next
 * where one fails. Whoever uses it may cancel; a process that takes too long or too much memory is killed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fromErrorData, PruneScopeError } from "../../protocol/errors.js";
import { describeEnd, type ProcessEnd, ranOutOfMemory } from "../process/process-end.js";
import { type Backends, backendWords } from "./backends.js";
import type { Backend, BackendKind, FromTfjs, RunAnswer, RunRequest, TfjsTensor } from "./messages.js";
import { TfjsProcess, TfjsProcessEnded } from "./tfjs-process.js";

export interface TfjsRuntimeOptions extends Backends {
  /** Path of `dist/tfjs.js`. */
  readonly script: string;
  /** Most memory of a process in MB; 0 = no limit. */
  readonly memoryLimit: number;
  /** Called again and again while a process works; what it throws ends the work. */
  readonly checkpoint: () => Promise<void>;
  /** Milliseconds that loading a backend may take, and one run. */
  readonly limits?: { readonly start: number; readonly run: number };
}

/** What TensorFlow.js made of a model, or why it made nothing of it. */
export type OriginalRun =
  | {
      readonly outputs: readonly TfjsTensor[];
      readonly backend: BackendKind;
      /** Of TensorFlow.js. */
      readonly version: string;
      /** Why better backends were not taken, in sentences. */
      readonly passedOver: readonly string[];
    }
  | { readonly outputs: null; readonly reason: string };

const defaultLimits = { start: 60_000, run: 300_000 };
const pollMs = 50;
const memoryIntervalMs = 1000;
const megabyte = 1e6;

/** The process took longer than it may. */
class TooSlow extends Error {}

interface Started {
  readonly process: TfjsProcess;
  readonly version: string;
}

export class TfjsRuntime {
  readonly #options: TfjsRuntimeOptions;
  readonly #backends: Backend[];
  readonly #passedOver: string[];
  #started: Started | null = null;

  constructor(options: TfjsRuntimeOptions) {
    this.#options = options;
    this.#backends = [...options.backends];
    this.#passedOver = [...options.passedOver];
  }

  /**
   * Runs a model with the first backend that does; one that failed is not tried again.
   * @throws PruneScopeError what is wrong with the files; `engine-crash`, `out-of-memory` when a process of a built-in
   * backend dies or needs more memory than it may; what the checkpoint throws.
   */
  async run(request: RunRequest): Promise<OriginalRun> {
    for (let backend = this.#backends[0]; backend !== undefined; backend = this.#backends[0]) {
      const tried = await this.#runOn(backend, request);
      if (typeof tried !== "string") return tried;
      this.#passedOver.push(tried);
      this.#backends.shift();
      this.close();
    }
    return { outputs: null, reason: this.#passedOver.join(" ") };
  }

  /** Ends what runs. */
  close(): void {
    this.#started?.process.kill();
    this.#started = null;
  }

  /** Runs with one backend; a sentence says why it is to be passed over. */
  async #runOn(backend: Backend, request: RunRequest): Promise<OriginalRun | string> {
    const words = backendWords(backend);
    const { start, run } = this.#options.limits ?? defaultLimits;
    try {
      const started = this.#started ?? (await this.#start(backend, start));
      if (typeof started === "string") return sentence(words, "does not work", started);
      this.#started = started;
      const { process, version } = started;
      const answer = (await this.#supervised(process, process.run(request), run, request.path)) as RunAnswer;
      switch (answer.type) {
        case "outputs":
          return { outputs: answer.outputs, backend: backend.kind, version, passedOver: [...this.#passedOver] };
        case "error":
          throw fromErrorData(answer.error);
        case "refused":
          if (answer.stage === "load")
            return { outputs: null, reason: sentence(`TensorFlow.js ${version}`, "does not load it", answer.message) };
          return sentence(words, "does not run it", missingKernel(answer.message) ?? answer.message);
      }
    } catch (error) {
      const running = this.#started !== null;
      this.close();
      if (error instanceof TooSlow) {
        const stopped = sentence(words, "was stopped", `it took more than ${(running ? run : start) / 1000} s`);
        // Another backend would take longer still.
        return running ? { outputs: null, reason: stopped } : stopped;
      }
      if (!(error instanceof TfjsProcessEnded)) throw error;
      if (backend.kind === "tfjs-node") return `${capital(words)} ${describeEnd(error.end)}.`;
      throw crash(error.end, words, request.path);
    }
  }

  /** Starts a process; a string says why its backend does not work. */
  async #start(backend: Backend, limit: number): Promise<Started | string> {
    const process = new TfjsProcess(this.#options.script, backend);
    const first = await this.#supervised(process, process.ready(), limit, "");
    if (first.type === "ready") return { process, version: first.version };
    process.kill();
    return first.type === "unusable" ? first.message : `it answered "${first.type}"`;
  }

  /** Waits for an answer, and looks after the process meanwhile. Kills it when it throws. */
  async #supervised(process: TfjsProcess, answer: Promise<FromTfjs>, limit: number, file: string): Promise<FromTfjs> {
    const began = performance.now();
    let memoryAt = began;
    try {
      for (;;) {
        const message = await Promise.race([answer, sleep(pollMs, null)]);
        if (message !== null) return message;
        await this.#options.checkpoint();
        const now = performance.now();
        if (now - began > limit) throw new TooSlow();
        if (now - memoryAt < memoryIntervalMs) continue;
        memoryAt = now;
        await this.#limitMemory(process, file);
      }
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  async #limitMemory(process: TfjsProcess, file: string): Promise<void> {
    const { memoryLimit } = this.#options;
    const resident = memoryLimit === 0 ? null : await process.memory();
    if (resident === null || resident <= memoryLimit * megabyte) return;
    throw new PruneScopeError(
      "out-of-memory",
      `TensorFlow.js needed more than the ${memoryLimit} MB of memory that the setting prunescope.engine.memoryLimit ` +
        "allows. Raise it, or set it to 0 for no limit.",
      { file },
    );
  }
}

function crash(end: ProcessEnd, words: string, file: string): PruneScopeError {
  if (ranOutOfMemory(end))
    return new PruneScopeError("out-of-memory", `There was not enough memory for TensorFlow.js (${words}).`, { file });
  return new PruneScopeError("engine-crash", `The process that runs TensorFlow.js (${words}) ${describeEnd(end)}.`, {
    file,
  });
}

/** What TensorFlow.js says of an operation that a backend has no code for, shortened to its name. */
function missingKernel(message: string): string | null {
  const kernel = /kernel '(\w+)' (?:not registered )?for backend/i.exec(message)?.[1];
  return kernel === undefined ? null : `it has no kernel for ${kernel}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `WHO DID: WHY.` */
const sentence = (who: string, did: string, why: string): string =>
  `${capital(who)} ${did}: ${why.replace(/[.\s]+$/, "")}.`;
