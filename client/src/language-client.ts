/**
 * The analysis server as the extension sees it. Starting it, starting it again and waiting for it is
 * `server/supervised-server.ts`; `server/launch.ts` knows the language client and is loaded with the first request,
 * because any JSON file activates the extension.
 */
import { EventEmitter, workspace, type Event, type Uri } from "vscode";
import type { JobName, Jobs, ProgressParams } from "../../server/protocol/requests.js";
import { methods, type CloseParams } from "../../server/protocol/requests.js";
import type { PruneScope } from "./context.js";
import { SupervisedServer, type JobRunner } from "./server/supervised-server.js";
import { traceChannel } from "./server/trace-channel.js";
import { serverSettings } from "./settings.js";

/** The analysis server: jobs, and what it tells by itself. */
export class AnalysisServer implements JobRunner {
  readonly #progress = new EventEmitter<ProgressParams>();
  readonly #back = new EventEmitter<void>();
  readonly #server: SupervisedServer;

  /** What a job is doing, for every model. */
  readonly onProgress: Event<ProgressParams> = this.#progress.event;
  /** The server runs again after it had died or was restarted; it knows nothing of what was asked before. */
  readonly onBack: Event<void> = this.#back.event;

  constructor(context: PruneScope) {
    const trace = traceChannel(context);
    this.#server = new SupervisedServer({
      launch: async (onClosed) => {
        const { launch } = await import("./server/launch.js");
        const onProgress = (progress: ProgressParams): void => {
          this.#progress.fire(progress);
        };
        return launch(context, trace, onProgress, onClosed);
      },
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      now: () => Date.now(),
      log: (message) => {
        context.log.warn(message);
      },
      onBack: () => {
        this.#back.fire();
      },
    });
    context.own(
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("prunescope.engine") || event.affectsConfiguration("prunescope.cache")) {
          this.#server.notify(methods.configure, serverSettings());
        }
      }),
    );
  }

  request<J extends JobName>(job: J, params: Jobs[J]["params"], signal: AbortSignal): Promise<Jobs[J]["result"]> {
    return this.#server.request(job, params, signal);
  }

  /** Tells the server that nobody looks at a model any more, so that it stops that model's work. */
  close(uri: Uri): void {
    this.#server.notify(methods.close, { uri: uri.toString() } satisfies CloseParams);
  }

  /** Stops the server and starts another. */
  restart(): Promise<void> {
    return this.#server.restart();
  }

  async dispose(): Promise<void> {
    await this.#server.dispose();
    this.#progress.dispose();
    this.#back.dispose();
  }
}
