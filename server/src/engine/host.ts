/**
 * Runs jobs in an engine process, which is started when the first job comes, stays warm between jobs, is ended when
 * idle so that it holds no memory, and is replaced when it died or was killed. Server and command line both use it.
 */
import type { JobName, Jobs, ServerSettings } from "../../protocol/requests.js";
import { EngineProcess } from "./engine-process.js";
import { cancelled, type JobRunner, type RunOptions } from "./job-runner.js";
import type { EnginePriority } from "./messages.js";

export interface EngineHostOptions {
  /** Path of the engine's script, `dist/engine.js`. */
  readonly entry: string;
  /** Folder for cached results; null = nothing is cached. */
  readonly storage: string | null;
  readonly settings: ServerSettings;
  /** Default `low`. */
  readonly priority?: EnginePriority;
  /** How long an idle engine is kept, in milliseconds; default one minute. */
  readonly idleMs?: number;
  /** Gets what the engine prints (warnings of ONNX Runtime, the last words of a crash). */
  readonly onOutput?: (text: string) => void;
}

export class EngineHost implements JobRunner {
  readonly #options: EngineHostOptions;
  #settings: ServerSettings;
  #engine: EngineProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: EngineHostOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Changes the settings of the jobs that start from now on. */
  configure(settings: ServerSettings): void {
    this.#settings = settings;
  }

  /**
   * Runs one job; the last one must be settled. An abort lets the job stop at a checkpoint, and soon kills the engine.
   * @throws PruneScopeError the job's own, `cancelled`, `out-of-memory`, or `EngineCrash` (`engine-crash`).
   */
  async run<J extends JobName>(
    job: J,
    params: Jobs[J]["params"],
    options: RunOptions = {},
  ): Promise<Jobs[J]["result"]> {
    if (this.#disposed || options.signal?.aborted === true) throw cancelled();
    if (this.#engine?.busy === true) throw new Error("The engine runs one job at a time.");
    clearTimeout(this.#idle);
    const engine = this.#engine === null || this.#engine.ended ? this.#start() : this.#engine;
    this.#engine = engine;
    try {
      return await engine.run(job, params, { storage: this.#options.storage, settings: this.#settings }, options);
    } finally {
      if (!engine.ended) {
        this.#idle = setTimeout(() => {
          engine.end();
        }, this.#options.idleMs ?? 60_000);
      }
    }
  }

  /** Ends the engine and rejects what it runs with `cancelled`, as everything that is asked for later. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#idle);
    this.#engine?.end();
  }

  #start(): EngineProcess {
    const { entry, priority = "low", onOutput } = this.#options;
    return new EngineProcess({ entry, priority, onOutput });
  }
}
