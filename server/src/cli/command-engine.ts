/** Runs jobs in an engine process for the command line, with a progress bar on a terminal's stderr. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SingleBar, Presets } from "cli-progress";
import type { JobName, Jobs, Progress, ServerSettings } from "../../protocol/requests.js";
import { plain } from "../analysis/text.js";
import { EngineHost } from "../engine/host.js";

const settings: ServerSettings = { threads: 0, memoryLimit: 0, cacheMaxSize: 1024 };

export class CommandEngine {
  readonly #host: EngineHost;
  readonly #storage: string;
  readonly #abort = new AbortController();
  /** What the jobs are about, before what they do; null = it is plain. */
  subject: string | null = null;
  #bar: SingleBar | null = null;
  #stage: string | null = null;

  constructor(entry: string) {
    // Between the jobs of one command only: an analysis that is saved right after is not done twice.
    this.#storage = mkdtempSync(join(tmpdir(), "prunescope-"));
    this.#host = new EngineHost({ entry, storage: this.#storage, settings });
  }

  /** Runs one job. @throws PruneScopeError the job's own, or `cancelled` after {@link cancel}. */
  async run<J extends JobName>(job: J, params: Jobs[J]["params"]): Promise<Jobs[J]["result"]> {
    try {
      return await this.#host.run(job, params, {
        signal: this.#abort.signal,
        onProgress: (progress) => {
          this.#show(progress);
        },
      });
    } finally {
      this.clearProgress();
    }
  }

  /** Runs originals in TensorFlow.js with the native library in a folder. */
  useTfjsNode(folder: string): void {
    this.#host.configure({ ...settings, tfjsNodePath: folder });
  }

  cancel(): void {
    this.#abort.abort();
  }

  clearProgress(): void {
    this.#bar?.stop();
    this.#bar = null;
    this.#stage = null;
  }

  dispose(): void {
    this.clearProgress();
    this.#host.dispose();
    rmSync(this.#storage, { recursive: true, force: true });
  }

  #show({ stage, done, total }: Progress): void {
    if (!process.stderr.isTTY) return;
    const words = this.subject === null ? stage : `${plain(this.subject)}: ${stage}`;
    if (words !== this.#stage) {
      this.clearProgress();
      this.#stage = words;
      this.#bar = new SingleBar(
        {
          format: "{bar} {percentage} %  {words}",
          clearOnComplete: true,
          hideCursor: true,
          stream: process.stderr,
          barsize: 24,
        },
        Presets.shades_classic,
      );
      this.#bar.start(Math.max(1, total), done, { words });
    } else this.#bar?.update(done);
  }
}
